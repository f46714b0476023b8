"""
Everything that passes between client and company besides purchases (REC-2, REC-4).

`policy` is what a company may set, `recording` the commands and rules, `refusals` what they refuse.
A sales approach of ours is not recorded here but asked for: see `ownership.claim`.
"""
