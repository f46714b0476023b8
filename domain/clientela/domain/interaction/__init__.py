"""
Everything that passes between client and company besides purchases (REC-2, REC-4).

    policy       what a company may set
    recording    contacts of every kind, once each; sales approaches of ours are asked for, not
                 recorded: see `ownership.claim`
    conflict     client and employee fall out, and how it ends
    departure    the client leaves, for listed causes
    signals      named facts that stages wait for
    parties      the client and whom of ours a command names
    rules        the rule set and its state
"""
