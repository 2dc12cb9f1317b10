"""How published models are compared, run on this package's models: data as its authors split it, full ranking."""
