"""Thin commands: read partitions, call one transformation, write one partition."""
