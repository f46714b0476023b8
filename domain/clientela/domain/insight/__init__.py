"""
Insight: pure figures over records; it decides nothing, and no rule set knows of it.

`card` is what one look at a client needs, `totals` are the sums of the company. Both are folded
from events by the same parts: `trade`, `points`, and for a card `days` and `stays`.
"""
