"""
The journal store in one SQLite file, served by one process.

    store       what the services see
    writer      the one thread that writes: group commit, checkpoints, backups; jobs, health
    appending   what waits as one transaction: group, claims, refusals, many
    writing     appends as SQL; key_rows     reading     everything that is asked, as SQL
    readers     the threads that ask
    connection  settings, read back          opening     lock, schema, rulebook, epoch
    erasures    whose keys were destroyed, also in a file beside the database
    reserved    keys that leave no trace     masks       fingerprints that leave none
    reads       rows of read models; read_rows, terms, finding
    copies      backup and restore           schema      what the database went through
    values      rows to values and back      files       locks, syncs

Beside `company.db` stand `company.db-wal` and `company.db-shm`, which belong to it and are never
moved alone, `company.db.lock`, and `company.db.erasures`, which outlives the database.

Nobody opens these files in the serving process by other means: closing a file ends every lock that
its process has on it, and SQLite's with them. Whoever wants to read the bytes does it from another.
"""
