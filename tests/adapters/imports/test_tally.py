from __future__ import annotations

from collections import Counter

from clientela.adapters.imports.tally import Tally, rejects_to


def test_every_row_is_counted_once():
    """
    Recorded, there already, one of both and rejected rows are all rows.
    """
    tally = Tally(recorded=5, already=2, unsure=4, rejected=Counter(AMOUNT=1, VALUE=2), clients=3)

    plain = tally.plain(2.0)

    assert 14 == tally.rows
    assert (14, 5, 2, 4, {"AMOUNT": 1, "VALUE": 2}, 7.0) == (
        plain["rows"],
        plain["recorded"],
        plain["already_there"],
        plain["recorded_now_or_before"],
        plain["rejected"],
        plain["rows_per_second"],
    )


def test_rejects_name_file_line_and_reason(tmp_path):
    """
    The file of rejects is put anew by each run.
    """
    path = tmp_path / "rejects.csv"
    path.write_text("old")

    with rejects_to(path, "till.csv") as rejects:
        rejects.write(7, "AMOUNT", "net: a decimal number")

    assert (
        "file,line,reason,expected\ntill.csv,7,AMOUNT,net: a decimal number\n" == path.read_text()
    )


def test_without_a_file_rejects_go_nowhere():
    """
    Rejects are counted all the same.
    """
    with rejects_to(None, "till.csv") as rejects:
        rejects.write(7, "AMOUNT", "net: a decimal number")
