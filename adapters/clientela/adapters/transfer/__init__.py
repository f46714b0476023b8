"""
Moving a whole store from a SQLite file to a PostgreSQL database, or back.

    tables       what is moved, in a form that both sides agree on
    file_end     a SQLite file as source or target
    server_end   a PostgreSQL database as source or target
    moving       from one end to the other, checked
"""
