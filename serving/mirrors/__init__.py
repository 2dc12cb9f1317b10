"""What every worker mirrors of Redis, so that no request waits for what all requests share."""
