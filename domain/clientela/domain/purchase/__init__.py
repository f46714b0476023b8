"""
What clients bought and brought back, line by line (REC-3, LOY-10, DEV-5).

`policy` is what a company may set, `recording` the commands and rules, `purchases` the state,
`matching` finds the purchase lines that returned pieces came from.
"""
