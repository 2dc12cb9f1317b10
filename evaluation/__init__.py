"""Ranking metrics, intervals and off-policy estimators in plain numpy, and what impressions led to, in pandas."""
