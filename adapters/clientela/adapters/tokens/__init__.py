"""Credentials: web tokens, client certificates, and names believed in trials."""
