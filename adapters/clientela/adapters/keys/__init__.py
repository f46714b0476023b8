"""
Keys of personal data: the key file, the keys derived from it, the rows that hold each person's key.

    keyring.py   what the key file holds, and what is done with it
    keyfile.py   where it is kept
    rows.py      one wrapped key a person, kept in the database of the journals
    rotation.py  another key-encryption key, under which every row is wrapped anew
    cache.py     unwrapped keys, few and for a minute
    sealing.py   a personal value under a person's key
    box.py       the form of everything that is encrypted
    secret.py    bytes that are never printed
    failures.py  what can go wrong
"""
