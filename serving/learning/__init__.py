"""Learning from streams: impressions judged by feedback, each outcome applied exactly once."""
