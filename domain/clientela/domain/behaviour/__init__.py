"""
What clients did, as figures that conditions are asked about.

`fact` is what is counted, `tally` counts it, `figures` are all counts of one client.
"""
