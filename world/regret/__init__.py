"""What the bandit's policies lose against somebody who knows the truth."""
