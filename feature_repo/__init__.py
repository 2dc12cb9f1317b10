"""Feast definitions over the derived tables."""
