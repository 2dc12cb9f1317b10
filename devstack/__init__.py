"""Starts the real services as plain processes for the demo, the tests and a laptop."""
