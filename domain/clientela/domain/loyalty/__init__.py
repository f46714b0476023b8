"""
What clients earn and what it is worth to them (LOY-4, LOY-5, LOY-10).

`programme` is what a company may set. A wallet holds points in lots: `wallet` is its state, `lots`
how points are taken from lots. Points come by `earning` and `adjustment`, go by `spending` and
`expiry`, and a return takes earned points back (`revocation`) and gives spent ones back
(`restoration`); what cannot be taken is `debt`. `cards` and `membership` say who may use a
wallet. `ledger` composes the rule set; `balance` and `statement` answer questions.
"""
