"""
The standard composition: every rule set of Clientela, and how facts for rules are read from journals.
"""
