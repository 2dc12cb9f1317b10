"""Policies and their propensities, in plain numpy."""
