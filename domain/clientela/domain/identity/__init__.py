"""
Identity: who a client is, by which names and identifiers it is known, prospects included.

Read `profile` first: the rule set and its state. Its parts are in `registration`, `details`,
`identifiers` (commands and events), `recognition` (who has which) and `terms`, its errors in
`refusals`.
"""
