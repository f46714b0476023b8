"""
The scanner finds planted values in whatever form, and nothing where there is nothing.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random

from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.leak.scanner import BLOCK_LENGTH, LEAKS_MAX, Leak, Scanner, ValueUnfitError, forms


PHONE = "+7 916 555-01-99"
NAME = "Ярослава Квитко-Гай"
EMAIL = "Marta.Quillfeather@example.org"
KEY = bytes(range(7, 39))
SCANNER = Scanner({"phone": PHONE, "name": NAME, "email": EMAIL}, {"key": KEY})

NOISE = random.Random(27).randbytes(50_000)


def planted(form: bytes) -> set[str]:
    """
    Names found where *form* stands once in noise, at every alignment.
    """
    found = [
        {leak.name for leak in SCANNER.in_bytes(NOISE[:n] + form + after, "noise")}
        for n in range(9)
        for after in (NOISE, b"")
    ]
    assert all(names == found[0] for names in found)
    return found[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-16"])
@pytest.mark.parametrize(("name", "value"), [("phone", PHONE), ("name", NAME), ("email", EMAIL)])
def test_values_are_found_in_every_encoding_and_spelling(name, value, encoding):
    """
    G27: UTF-8 and UTF-16 are found plain, in hex of both cases, and in base64 of both alphabets
    wherever it begins.
    """
    raw = value.encode(encoding)
    base64s = [f(bytes(n) + raw + b"!?") for n in range(3) for f in _BASE64]

    for form in (raw, raw.hex().encode(), raw.hex().upper().encode(), *base64s):
        assert {name} == planted(form)


_BASE64 = (base64.b64encode, base64.urlsafe_b64encode)


def test_base64_is_found_in_both_alphabets():
    """
    G27: a value whose base64 needs the last two letters of the alphabet is found in either.
    """
    value = "\u00fb\u00ff\u00fe?>~\u00fb\u00ff?>~~"
    scanner = Scanner({"odd": value})
    std, url = base64.b64encode(value.encode()), base64.urlsafe_b64encode(value.encode())

    assert std != url
    assert {"odd"} == {leak.name for leak in scanner.in_bytes(b"x" + std, "std")}
    assert {"odd"} == {leak.name for leak in scanner.in_bytes(b"x" + url, "url")}


@pytest.mark.parametrize(
    "form",
    [
        quote(NAME),
        quote_plus(NAME),
        quote(NAME).lower(),
        NAME.casefold(),
        NAME.upper(),
        json.dumps(NAME),
        json.dumps({"name": NAME}, ensure_ascii=False),
        repr(NAME.encode()),
        ascii(NAME),
    ],
)
def test_names_are_found_escaped_and_folded(form):
    """
    G27: escapes of URLs, JSON and Python hide no name, nor do small letters and capitals.
    """
    assert {"name"} == planted(form.encode())


@pytest.mark.parametrize("value", ['Anna "Nusha" \u00d6', "Anna \U0001f98a Fuchs", "Anna\nFuchs"])
def test_escapes_of_json_are_found(value):
    """
    G27: quotes, line breaks and what lies beyond the first plane are escaped by JSON its own way.
    """
    scanner = Scanner({"odd": value})

    assert {"odd"} == {leak.name for leak in scanner.in_bytes(json.dumps(value).encode(), "json")}


@pytest.mark.parametrize(
    "form", ["79165550199", "89165550199", "9165550199", "tel:+79165550199", "0079165550199"]
)
def test_phones_are_found_as_digits_whatever_stands_before(form):
    """
    G27: a phone number is found by its digits, with or without the country.
    """
    assert {"phone"} == planted(form.encode())
    assert {"phone"} == planted(form.encode("utf-16-le"))
    assert {"phone"} == planted(form.encode().hex().encode())


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("email", EMAIL),
        ("email", EMAIL.lower()),
        ("phone", PHONE),
        ("phone", "79165550199"),
        ("phone", "+79165550199"),
    ],
)
def test_bare_hashes_are_found(algorithm, name, text):
    """
    G27: a hash without a key is found raw, in hex and in base64; whoever guesses can undo it.
    """
    digest = hashlib.new(algorithm, text.encode(), usedforsecurity=False).digest()

    for form in (digest, digest.hex().encode(), digest.hex().upper().encode(), *_spelled(digest)):
        assert {name} == planted(form)


def _spelled(digest: bytes) -> tuple[bytes, ...]:
    return tuple(f(bytes(n) + digest) for n in range(3) for f in _BASE64)


def test_key_bytes_are_found():
    """
    G27: keys are sought as bytes, in hex and in base64.
    """
    for form in (KEY, KEY.hex().encode(), *_spelled(KEY)):
        assert {"key"} == planted(form)


def test_clean_data_gives_nothing():
    """
    G27: noise, other phone numbers and other names are not mistaken for planted ones.
    """
    others = json.dumps([f"+7 916 555-02-{n:02}" for n in range(100)]).encode()

    assert () == SCANNER.in_bytes(NOISE, "noise")
    assert () == SCANNER.in_bytes(others + base64.b64encode(NOISE) + NOISE.hex().encode(), "other")
    assert () == SCANNER.in_bytes(b"", "nothing")


def test_leak_tells_where_and_what_but_not_the_value():
    """
    A finding names file, position, value and form, and repeats nothing of the value.
    """
    leaks = SCANNER.in_bytes(b"to: " + EMAIL.encode(), "log")

    assert (Leak("log", 4, "email", "plain, utf-8, bytes"),) == leaks
    assert "Quillfeather" not in repr(leaks)


def test_values_across_blocks_are_found(tmp_path):
    """
    A value that lies across the border of two blocks is found, wherever the border cuts it.
    """
    scanner = Scanner({"name": NAME})
    form = max((form for _, form in forms(NAME)), key=len)
    file = tmp_path / "journal"

    for before in range(BLOCK_LENGTH - len(form) - 1, BLOCK_LENGTH + 2):
        file.write_bytes(bytes(before) + form)
        assert [("name", before)] == [(leak.name, leak.offset) for leak in scanner.in_file(file)]


def test_whole_trees_are_searched_names_included(tmp_path):
    """
    G27: every file below a folder is searched, hidden ones too, and so are the names of files.
    """
    deep = tmp_path / "a" / ".b"
    deep.mkdir(parents=True)
    (deep / "store.db-wal").write_bytes(NOISE + PHONE.encode() + NOISE)
    (tmp_path / f"{EMAIL}.csv").write_bytes(b"")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")

    found = {(leak.name, Path(leak.where.removeprefix("name of ")).name) for leak in tree(tmp_path)}

    assert {("phone", "store.db-wal"), ("email", f"{EMAIL}.csv")} == found


def tree(folder: Path) -> tuple[Leak, ...]:
    """
    What is found below *folder*.
    """
    return SCANNER.in_tree(folder)


def test_compressed_values_are_not_found():
    """
    The limit of the method: what is compressed is not seen; whoever scans has to unpack it.
    """
    assert () == SCANNER.in_bytes(gzip.compress(EMAIL.encode()), "gzip")


def test_file_that_vanished_holds_nothing(tmp_path):
    """
    A file that was removed after it was listed is passed over.
    """
    assert () == SCANNER.in_file(tmp_path / "temporary")


def test_findings_are_bounded(tmp_path):
    """
    A tree full of leaks gives no more than `LEAKS_MAX` findings.
    """
    for n in range(LEAKS_MAX + 5):
        (tmp_path / str(n)).write_bytes(EMAIL.encode())

    assert LEAKS_MAX == len(SCANNER.in_tree(tmp_path))


@pytest.mark.parametrize("value", ["Ivan", "123456", "x" * 5000])
def test_values_that_prove_nothing_are_refused(value):
    """
    A value so short that chance finds it, or longer than any field, is refused, not repeated.
    """
    with pytest.raises(ValueUnfitError) as refused:
        Scanner({"short": value})

    assert value not in str(refused.value)
