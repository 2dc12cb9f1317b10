"""The fresh lane: contents published or changed since the batch, embedded as they come, offered from memory."""
