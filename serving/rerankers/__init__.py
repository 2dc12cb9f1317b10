"""Which candidate gets which slot: one way per file."""
