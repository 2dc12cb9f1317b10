"""What may stay beside what stands above it: one cap per file."""
