"""Pure functions from DataFrames to a DataFrame."""
