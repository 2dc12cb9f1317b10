"""Where the online path keeps its state: one protocol, Redis and a memory twin, and the catalogue."""
