"""Models that retrieve candidates."""
