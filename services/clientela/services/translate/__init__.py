"""
Between the wire and the domain: requests to commands, values to messages.

`values` and `required` read single fields, `mutations`, `reads` and `pages` what rpcs have in
common, and one module for each service the rest. What is malformed is refused here, naming the
field by its path; what the rules forbid is refused by the rules.
"""
