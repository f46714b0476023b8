"""
How fast Clientela is: its own path beside the bare limits, alternating in one run.

`make bench`, or `python -m benchmarks --help`. docs/speed.md says how to read what comes out.
"""
