"""The slate's rows."""
