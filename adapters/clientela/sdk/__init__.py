"""What callers and subscribers use; needs no server."""
