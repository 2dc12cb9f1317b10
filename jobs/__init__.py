"""Spark jobs: watch log in, tables out."""
