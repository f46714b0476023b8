"""
What a company may set, as data: loading with located errors, versions, conditions, presets.

`documents` are definitions as text and plain data, `loading` turns them into typed sections by the
strict ways of `structuring` and `scalars`, `problems` is what is wrong with them, `versions` keeps
what was in force when. `conditions` is the closed vocabulary of rules; `evaluation` asks them, by
the `measures` of single ones, and gives `verdicts`. `preset` holds the models that ship with the
package.
"""
