"""Orders that explore."""
