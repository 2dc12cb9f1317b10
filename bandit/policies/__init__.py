"""Policies side by side, one module each: `select` chooses the arms of a slate, `update` learns from outcomes."""
