"""What events of the platform do: who is live, what was taken down."""
