"""A synthetic streaming platform with known truth."""
