"""
Identity: who a client is, by which names and identifiers it is known, prospects included.

Read `profile` first; `registration`, `details`, `identifiers` and `terms` hold its parts, `refusals`
its errors.
"""
