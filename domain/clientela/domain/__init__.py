"""
The rules of Clientela as pure Python: no clock, no network, no storage.

A record is a journal of facts. Rules are pure functions from a record and a command to new facts.
`ruleset` says what a rule set is, `rulebook` composes rule sets and runs commands through them;
each concept (identity, ownership, lifecycle, loyalty ...) is one package with its commands,
events, state and functions.
"""
