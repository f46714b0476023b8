"""
Files to entries, whatever they hold.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from hypothesis import given
from hypothesis import strategies as st

from clientela.adapters.imports.cells import Moment
from clientela.adapters.imports.document import mapping_from
from clientela.adapters.imports.entries import (
    ClientEntry,
    InteractionEntry,
    PurchaseEntry,
    ReturnEntry,
)
from clientela.adapters.imports.lines import LINE_LENGTH_MAX, BadRow, FileUnreadableError
from clientela.adapters.imports.mapping import Kind
from clientela.adapters.imports.reading import Source
from clientela.domain.facts import BusinessKey, Line
from clientela.domain.ids import BusinessId, Code
from clientela.domain.money import Money
from clientela.domain.purchase.matching import Wanted
from tests.adapters.imports.till import HEAD, MAPPING, entries, refused


AT = Moment(datetime(2026, 3, 2, 9, 30, tzinfo=UTC), date(2026, 3, 2))


def bought(line, sku, quantity, minor):
    """A line of a purchase."""
    return Line(line_id=Code(str(line)), sku=sku, quantity=quantity, net=Money(minor, "EUR"))


def test_rows_of_one_receipt_are_one_purchase(tmp_path):
    """
    REC-3: a receipt is one purchase with a line for each row, named by its line of the file.
    """
    found = entries(
        tmp_path,
        HEAD
        + "17,petra,shirt,2,19.90,2026-03-02 10:30\n17,petra,belt,1,5,2026-03-02 10:31\n"
        + "18,ivan,shirt,1,19.90,2026-03-02 10:30\n",
    )

    petra = PurchaseEntry(
        lines=(2, 3),
        client="petra",
        when=AT,
        key=BusinessKey(Code("till"), BusinessId("17")),
        bought=(bought(2, "shirt", 2, 3980), bought(3, "belt", 1, 500)),
    )
    ivan = PurchaseEntry(
        lines=(4,),
        client="ivan",
        when=AT,
        key=BusinessKey(Code("till"), BusinessId("18")),
        bought=(bought(4, "shirt", 1, 1990),),
    )
    assert [petra, ivan] == found


def test_a_quantity_below_zero_is_a_return_where_the_mapping_says_so(tmp_path):
    """
    DEV-5: what came back is a return of pieces and money; otherwise such a row is refused.
    """
    text = HEAD + "C17,petra,shirt,-2,19.90,2026-03-02 10:30\n"

    found = entries(tmp_path, text)
    strict = entries(tmp_path, text, MAPPING.replace('"return"', '"reject"'))

    wanted = Wanted(quantity=2, refund=Money(3980, "EUR"), sku=Code("shirt"))
    assert [
        ReturnEntry(
            lines=(2,),
            client="petra",
            when=AT,
            key=BusinessKey(Code("till"), BusinessId("C17")),
            currency="EUR",
            wanted=(wanted,),
        )
    ] == found
    assert [(2, "QUANTITY")] == refused(strict)


def test_rows_may_interleave_within_the_window(tmp_path):
    """
    Rows of one receipt belong together while they lie no further apart than the window; entries
    come in the order of their first rows.
    """
    text = HEAD + "".join(f"{receipt},petra,shirt,1,1,2026-03-02\n" for receipt in "abacdea")

    wide = entries(tmp_path, text)
    narrow = entries(tmp_path, text, MAPPING.replace("[columns]", "window_rows = 3\n\n[columns]"))

    assert [(2, 4, 8), (3,), (5,), (6,), (7,)] == [entry.lines for entry in wide]
    assert [(2, 4), (3,), (5,), (6,), (7,), (8,)] == [entry.lines for entry in narrow]


def test_without_an_id_each_row_is_named_by_file_and_line(tmp_path):
    """
    Equal rows are separate purchases; the same file names them the same, another one otherwise.
    """
    text = HEAD + "17,petra,shirt,1,1,2026-03-02\n" * 2
    mapping = MAPPING.replace('id = "receipt"\n', "")

    once, twice = entries(tmp_path, text, mapping), entries(tmp_path, text, mapping)
    other = entries(tmp_path, text + "18,ivan,belt,1,1,2026-03-02\n", mapping)

    assert once == twice
    assert ["2", "3"] == [entry.key.id for entry in once]
    assert once[0].key.source.startswith("file-")
    assert once[0].key.source != other[0].key.source


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("17,,shirt,1,1,2026-03-02", "REQUIRED"),
        (",petra,shirt,1,1,2026-03-02", "REQUIRED"),
        ("17,petra,,1,1,2026-03-02", "REQUIRED"),
        ("17,petra,shirt,1,,2026-03-02", "REQUIRED"),
        ("17,petra,shirt,1,1,", "REQUIRED"),
        ("17,petra,shirt,one,1,2026-03-02", "NUMBER"),
        ("17,petra,shirt,1.5,1,2026-03-02", "NUMBER"),
        ("17,petra,shirt,99999999999,1,2026-03-02", "NUMBER"),
        ("17,petra,shirt,0,1,2026-03-02", "QUANTITY"),
        ("17,petra,shirt,1,cheap,2026-03-02", "AMOUNT"),
        ('17,petra,shirt,1,"1,50",2026-03-02', "AMOUNT"),
        ("17,petra,shirt,1,1.005,2026-03-02", "AMOUNT"),
        ("17,petra,shirt,1,-1,2026-03-02", "AMOUNT"),
        ("17,petra,shirt,1,1e400,2026-03-02", "AMOUNT"),
        ("17,petra,shirt,1,9999999999999999,2026-03-02", "AMOUNT"),
        ("17,petra,shirt,1,1,soon", "MOMENT"),
        ("17,petra,shirt,1,1,2026-02-30", "MOMENT"),
        ("17,petra,shirt,1,1,0001-01-01 00:10", "MOMENT"),
        (f"17,petra,{'x' * 300},1,1,2026-03-02", "LENGTH"),
        ("17", "REQUIRED"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_and_left_out(tmp_path, row, reason):
    """
    A row is refused by a stable reason; the ones around it are taken.
    """
    good = "16,ivan,belt,1,1,2026-03-02\n"

    found = entries(tmp_path, HEAD + good + row + "\n" + good.replace("16", "18"))

    assert [(3, reason)] == refused(found)
    assert 2 == len(found) - 1


def test_the_reason_names_no_value(tmp_path):
    """
    What was there is never told: it may be a name.
    """
    rows = ["17,petra,shirt,Novak,1,2026-03-02", "17,petra,shirt,1,Novak,2026-03-02"]
    rows += ["17,petra,shirt,1,1,Novak", f"17,petra,{'Novak' * 99},1,1,2026-03-02"]

    found = entries(tmp_path, HEAD + "\n".join(rows))

    assert 4 == len(found)
    assert not any("Novak" in str(each.error) for each in found)


def test_bytes_of_another_encoding_spoil_their_row_only(tmp_path):
    """
    A cell that is no text is refused; the file is read on.
    """
    text = HEAD.encode() + b"17,petr\xff,shirt,1,1,2026-03-02\n18,ivan,belt,1,1,2026-03-02\n"

    found = entries(tmp_path, text)

    assert [(2, "ENCODING")] == refused(found)
    assert "ivan" == found[1].client


def test_half_a_character_spoils_its_row_only(tmp_path):
    """
    An encoding that can tell of half a character makes no text of it.
    """
    mapping = MAPPING.replace("[columns]", '[file]\nencoding = "unicode_escape"\n\n[columns]')
    text = HEAD + "17,petr\\ud800,shirt,1,1,2026-03-02\n18,ivan,belt,1,1,2026-03-02\n"

    found = entries(tmp_path, text, mapping)

    assert [(2, "ENCODING")] == refused(found)
    assert "ivan" == found[1].client


@pytest.mark.parametrize("day", ["2026-03-02", "20260302", "2026-W10-1", "2026W101"])
def test_a_date_alone_is_at_the_time_that_the_mapping_says(tmp_path, day):
    """
    However ISO 8601 writes it; noon where the mapping says nothing.
    """
    [found] = entries(tmp_path, HEAD + f"17,petra,shirt,1,1,{day}\n")

    assert Moment(datetime(2026, 3, 2, 11, tzinfo=UTC), date(2026, 3, 2)) == found.when


def test_an_endless_line_is_one_bad_row(tmp_path):
    """
    Memory is bounded: a line longer than any may be is left out, the next one read.
    """
    endless = "17,petra," + "x" * (3 * LINE_LENGTH_MAX) + ",1,1,2026-03-02\n"

    found = entries(tmp_path, HEAD + endless + "18,ivan,belt,1,1,2026-03-02\n")

    assert [(2, "MALFORMED")] == refused(found)
    assert [(3,)] == [each.lines for each in found[1:]]


def test_an_open_quotation_mark_does_not_swallow_the_file(tmp_path):
    """
    Text within quotation marks that never ends is given up after a bounded length; every line
    that went with it is told.
    """
    rows = [f"{receipt},ivan,belt,1,1,2026-03-02\n" for receipt in range(10_000)]

    found = entries(tmp_path, HEAD + '17,petra,"' + "".join(rows))

    lost = refused(found)
    taken = [each.lines[0] for each in found if isinstance(each, PurchaseEntry)]
    assert {"MALFORMED"} == {reason for _, reason in lost}
    assert [*range(2, 10_002)] == [*(line for line, _ in lost), *taken]
    assert taken


def test_a_receipt_without_end_is_refused_row_by_row(tmp_path):
    """
    A purchase has at most 500 lines; of a longer one every row is refused, none is lost.
    """
    text = HEAD + "17,petra,shirt,1,1,2026-03-02\n" * 501

    found = entries(tmp_path, text)

    assert [(line, "LINES") for line in range(2, 503)] == sorted(refused(found))
    assert 501 == len(found)


def test_commas_and_local_times_are_read_as_the_mapping_says(tmp_path):
    """
    Decimal commas, points between thousands, the company's own date and zone.
    """
    mapping = (
        MAPPING.replace('currency = "EUR"', 'currency = "EUR"\ndecimal = ","\nthousands = "."')
        .replace(
            'zone = "Europe/Prague"', 'zone = "Asia/Tokyo"\nformat = "%d/%m/%y"\ntime = "00:30"'
        )
        .replace("[columns]", '[file]\ndelimiter = ";"\n\n[columns]')
    )
    text = HEAD.replace(",", ";") + "17;petra;shirt;1;1.234,50;02/03/26\n"

    [found] = entries(tmp_path, text, mapping)

    assert Money(123450, "EUR") == found.bought[0].net
    assert Moment(datetime(2026, 3, 1, 15, 30, tzinfo=UTC), date(2026, 3, 2)) == found.when


def test_cells_parted_by_blanks_go_by_number(tmp_path):
    """
    A file without header and without delimiter.
    """
    mapping = """
source = "cdnow"
[file]
format = "blanks"
header = false
[columns]
client = 2
net = 4
[constants]
sku = "cd"
[when]
column = 3
format = "%Y%m%d"
[amounts]
currency = "USD"
"""
    [found, other] = entries(tmp_path, " 1 0001 19970101  11.77\n\n 1 0002 19970102 2\n", mapping)

    assert ("0001", (1,)) == (found.client, found.lines)
    assert Moment(datetime(1997, 1, 1, 12, tzinfo=UTC), date(1997, 1, 1)) == found.when
    assert Money(1177, "USD") == found.bought[0].net
    assert (3,) == other.lines


def test_clients_and_interactions_are_read(tmp_path):
    """
    REC-1, REC-2: whom the file tells of, by what they are recognised, and what passed.
    """
    people = 'source = "crm"\n[columns]\nclient = "id"\nname = "name"\n[identifiers]\nphone = "tel"'
    calls = """
source = "pbx"
[columns]
client = "id"
direction = "dir"
note = "note"
[constants]
channel = "phone"
purpose = "enquiry"
kind = "call"
[values.direction]
in = "inbound"
[when]
column = "at"
"""
    [person] = entries(tmp_path, "id,name,tel\n7,Petra,+420 1\n", people, Kind.CLIENTS)
    [call, odd] = entries(
        tmp_path,
        "id,dir,note,at\n7,in,hm,2026-03-02\n7,out,,2026-03-02\n",
        calls,
        Kind.INTERACTIONS,
    )

    assert isinstance(person, ClientEntry)
    assert ({"name": "Petra"}, (("phone", "+420 1", False),)) == (
        person.details,
        person.identifiers,
    )
    assert isinstance(call, InteractionEntry)
    assert ("inbound", "hm", "phone", "call") == (
        call.direction,
        call.note,
        call.channel,
        call.what,
    )
    assert "VALUE" == odd.error.reason


def test_columns_that_are_not_there_are_told_before_anything_is_read(tmp_path):
    """
    A file that is not the one the mapping is for is refused whole.
    """
    with pytest.raises(FileUnreadableError, match="no column is called 'customer'"):
        entries(tmp_path, "a,b\n1,2\n")
    with pytest.raises(FileUnreadableError, match=r"one column alone: say \[file\] delimiter"):
        entries(tmp_path, HEAD.replace(",", ";"))
    with pytest.raises(FileUnreadableError, match="more than one"):
        entries(tmp_path, "customer," + HEAD)
    with pytest.raises(FileUnreadableError, match="names no columns"):
        entries(tmp_path, "")


@given(st.binary(max_size=2_000))
def test_every_row_is_an_entry_or_refused_whatever_the_file_holds(tmp_path_factory, junk):
    """
    No file makes the reading fail, and no line is told twice.
    """
    path = tmp_path_factory.mktemp("junk") / "till.csv"
    path.write_bytes(HEAD.encode() + junk)

    found = list(Source.of(path, mapping_from(MAPPING, Kind.PURCHASES)).entries())

    lines = [
        line
        for each in found
        for line in ((each.line,) if isinstance(each, BadRow) else each.lines)
    ]
    assert len(lines) == len(set(lines))
