"""What a worker holds in memory of Redis: immutable tables, replaced by a background thread as news come."""
