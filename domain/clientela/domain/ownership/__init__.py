"""
Who looks after a client and who may approach them (OWN-1 to OWN-10).

`policy` is what a company may set, `claim` the commands, events, state and rules, `spells` the
history of owners, `explanation` why the present owner is the owner.
"""
