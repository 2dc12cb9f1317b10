"""Two-tower retrieval with batch softmax."""
