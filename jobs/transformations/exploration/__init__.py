"""Streamers that a user does not watch (any more): one module per kind of exploration, each with its reason."""
