"""
Values at the edge of what a field may hold, and beyond it.
"""

from __future__ import annotations

import re


PLANTED = "Zaqxswedc"
"""Stands in every personal value that is sent, and in no answer that refuses it."""

NUMBERS = (0, 1, -1, 2, 200, 2**31 - 1, -(2**31))
LONG_NUMBERS = (*NUMBERS, 2**31, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 10**18)

TEXTS = (
    "",
    "a",
    " ",
    " a ",
    "-1",
    "0",
    "NaN",
    "a:b",
    "petra",
    "north",
    "marta",
    "care",
    "till",
    "x" * 64,
    "x" * 65,
    "x" * 128,
    "x" * 129,
    "x" * 4_096,
    "x" * 4_097,
    "x" * 100_000,
    "9" * 5_000,
    "\0",
    "\x1b[2J",
    "\u202eevil\u2066",
    "\ud7ff\ue000\uffff\U0010ffff",
    "é" * 2_048,
    "é" * 2_049,
    "e\u0301" * 100,
    "%s%n{0}{}",
    "../../etc/passwd",
    "'; DROP TABLE events; --",
    "loyalty = 1",
    "[loyalty]\nx = 1",
    "a = 9" + "9" * 5_000,
    "a = 0x" + "f" * 5_000,
    "a = 1e" + "9" * 30,
    "[" * 2_000 + "]" * 2_000,
    "a = " + "[" * 500 + "]" * 500,
    "a = 1979-05-27T07:32:00Z",
    "a = 1e400",
    "a = inf",
)

SECONDS = (0, -1, -62_135_596_800, -62_135_596_801, 253_402_300_799, 253_402_300_800, 2**63 - 1)
NANOS = (0, -1, 1, 999, 999_999_999, 1_000_000_000, 2**31 - 1, -(2**31))

VALUE = re.compile(r'(?<== )(\d+|"[^"\n]*"|true)')
"""A single value of the definitions of the shop."""

VALUES = (
    "0",
    "-1",
    "1",
    "13",
    "9223372036854775807",
    "-9223372036854775808",
    "1.5",
    "1e400",
    "nan",
    "true",
    '""',
    '"EUR"',
    '"Europe/Moscow"',
    '"0.01 EUR"',
    '"99999999999999999999.99 EUR"',
    '"new"',
    '"silent"',
    "[]",
    "{}",
    "1979-05-27",
    '"\\u0000"',
)
"""What may stand in its place."""

CURRENCIES = ("EUR", "USD", "JPY", "KWD", "XXX", "ZZZ", "eur", "EU", "", "E" * 300, "\u0415UR")

ENUMS = (0, 1, 2, 7, 99, -1, 2**31 - 1, -(2**31))

MANY_BYTES = 500_000
"""After which nothing is added to a request: what is larger than 1 MiB the transport refuses."""

PLACES = ("", "x", "-1", "9" * 400, "1@", "@1", "1@2@3", "a" * 3_000, "petra", "1@" + "9" * 30)
"""Where a forged page token says that a page ended."""

PATHS = ("", "copy.db", "../copy.db", "~/copy.db", "/", "/proc/none/copy.db", "/dev/null")
"""Where no copy can be put."""

WRONG_CALLERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("x-clientela-actor", ""),),
    (("x-clientela-actor", "till"),),
    (("x-clientela-actor", "system/clientela"),),
    (("x-clientela-actor", "service/" + "x" * 5_000),),
    (("x-clientela-actor", "service/a b"),),
    (("x-clientela-actor", "service/till"), ("x-clientela-actor", "service/shop")),
    (("x-clientela-actor", "employee/nobody"),),
    (("x-clientela-actor", "client/petra"),),
    (("x-clientela-actor", "employee/marta"), ("x-clientela-roles", "emperor")),
    (("x-clientela-actor", "employee/marta"), ("x-clientela-unit", "../north")),
    (("x-clientela-actor", "employee/marta"), ("x-clientela-on-behalf-of", "employee/ivo")),
    (("x-clientela-actor", "service/till"), ("x-clientela-on-behalf-of", "nobody")),
    (("x-clientela-actor", "service/till"), ("x-clientela-unit", "no unit")),
    (("x-clientela-actor", "service/till"), ("x-clientela-clock", "yesterday")),
    (("x-clientela-actor", "employee/marta"), ("x-clientela-clock", "occurred")),
    (("authorization", "Bearer " + "x" * 4_000),),
    (("authorization", "Basic dGlsbDp0aWxs"),),
)
"""Who nobody is; refused whatever they ask for."""
