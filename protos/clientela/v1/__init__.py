"""Generated from the protos beside it: do not edit."""
