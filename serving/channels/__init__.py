"""What a channel page shows of a streamer: the representative VODs, in a database that a web service reads."""
