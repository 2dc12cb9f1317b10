"""The daily pipeline end to end on one machine, as an operator would see it."""
