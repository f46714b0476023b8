"""
Looks at everything a service needs before it serves: what is good, what is poor, what is bad.
"""
