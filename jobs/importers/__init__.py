"""Log formats to the watch log."""
