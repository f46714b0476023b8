"""
Who looks after a client and who may approach them (OWN-1 to OWN-10).

    policy        what a company may set
    claim         the first approach with an offer makes the owner; others are refused
    replacement   an authorised person names another owner for a listed reason
    orphaning     the owner leaves the company
    lapse         ownership ends by itself, where the company lets it
    holding       the state; sellers: who works here
    rules         the rule set
    spells        every owner, from when to when; explanation: why
"""
