"""The online path: publish, stores, stages, consumers."""
