"""
Golden payloads: one example of every stored event, kept for ever.

What was stored once must be readable for ever, so each stored name (`owner-replaced.v1`) has a
file here that nobody edits; `SHA256SUMS` notices if somebody does. `python -m tests.domain.events`
writes files for events that have none and touches no other. A changed event is a new version: keep
the old file, write an upcaster, and run the command for the new name. Only an event that no release
has stored yet may be changed in place: take its file and its line in `SHA256SUMS` away first.
"""
