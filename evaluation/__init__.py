"""Ranking metrics, intervals and off-policy estimators, in plain numpy."""
