"""
Golden messages: what leaves on the bus of one example of every stored event, kept for ever.

Subscribers were written against these bytes, so nobody edits them; `SHA256SUMS` notices if somebody
does. `python -m tests.services.messages` writes files for events that have none and touches no
other. Only an event that no release has stored yet may be changed in place: take its file and its
line in `SHA256SUMS` away first.
"""
