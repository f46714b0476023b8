"""
Organisation: the branches and departments of the company, its staff and their roles.

`units` and `staff` are the rule sets; `hiring` and `roles` are parts of staff, `tree` walks the
tree of units, `refusals` holds the errors.
"""
