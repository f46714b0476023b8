"""
The journal store in a PostgreSQL database, used by any number of processes.

    store        what the services see
    writer       the one task that appends: group commit; jobs
    group        appends that go together       statement   one group as one statement
    claims       who has lost                   failures    what an error means
    positions    how places in the order of commits are given
    loading      what a command needs           reading     everything else that is asked
    changing     what else is written           erasing     whose keys were destroyed
    masks        fingerprints that can be forgotten
    connections  settings, breaking, mending    profile     what a server must be like
    restored     erasures that a restore undid, epoch
    opening      tables, rulebook, epoch        schema      what the database went through
    reads        rows of read models; read_rows, finding
"""
