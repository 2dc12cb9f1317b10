"""What is looked up for candidates."""
