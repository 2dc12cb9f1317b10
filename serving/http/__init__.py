"""The HTTP edge: plain ASGI, typed bodies, explicit degradation."""
