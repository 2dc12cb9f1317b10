"""What happens because a slate was served."""
