"""
Delimited files of other systems as entries: what happened to whom, row by row.

    mapping     which column means what; document: the same in TOML, read table by table (tables)
    lines       a file to rows of cells, bounded, with the line each stands on
    cells       a cell to an amount, a count, a moment
    entries     what rows come to: a client, a purchase, a return, an interaction
    rows        one row to the part it plays
    grouping    rows of one identity to one entry
    reading     all of them put together
    tally       what became of every row; the file of rejects

Nothing here knows how entries are sent. Memory is bounded, whatever the size of the file.
"""
