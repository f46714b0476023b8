"""
Keys of personal data: the key file, the keys derived from it, the rows that hold each person's key.

    keyring.py   what the key file holds, and what is done with it
    keyfile.py   where it is kept
    private.py   files that only their owner may use
    keytext.py   the text in the key file
    rotation.py  another key-encryption key, under which every person's key is wrapped anew
    sealing.py   a personal value under a person's key
    box.py       the form of everything that is encrypted
    secret.py    bytes that are never printed
    failures.py  what can go wrong
"""
