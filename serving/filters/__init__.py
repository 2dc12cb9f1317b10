"""What may not be shown, each rule by itself."""
