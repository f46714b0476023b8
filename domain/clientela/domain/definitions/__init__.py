"""
What a company may set, as data: loading with located errors, versions, conditions, presets.

`loading` turns TOML into typed sections, `versions` keeps what was in force when, `conditions` is
the closed vocabulary of rules and `verdicts` what it says about a client, `presets` are the models
that ship with the package.
"""
