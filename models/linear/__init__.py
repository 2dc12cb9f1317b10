"""Linear item models: what is liked together, as one matrix over items. Peers of the two-tower model."""
