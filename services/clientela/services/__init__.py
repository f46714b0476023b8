"""Use cases over the domain, and their gRPC face."""
