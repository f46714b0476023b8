"""
The standard composition: every rule set of Clientela, and how rules' facts are read from journals.
"""
