"""
Which entries of a file are sent together.
"""

from __future__ import annotations

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from clientela.adapters.cli.flights import FLIGHT_MAX, WAITING_MAX, Flights
from clientela.adapters.imports.entries import Entry
from tests.adapters.cli.entries import call


def lines(load):
    """The lines that entries were made of."""
    return [line for entry in load for line in entry.lines]


def test_entries_of_a_client_in_the_air_wait_until_it_has_landed():
    """
    Calls overtake each other, so the rows of a client are never in two of them.
    """
    petra = FLIGHT_MAX + 3
    flights = Flights(call("petra" if n < petra else "pavel", n) for n in range(petra + 1))

    first, second = flights.start(), flights.start()
    assert [] == flights.start()
    flights.land(first)

    assert list(range(FLIGHT_MAX)) == lines(first)
    assert [petra] == lines(second)
    assert [FLIGHT_MAX, FLIGHT_MAX + 1, FLIGHT_MAX + 2] == lines(flights.start())


def test_no_more_is_read_than_may_wait():
    """
    R20: one client with endless rows does not fill the memory with them.
    """
    read = []

    def rows():
        for number in range(WAITING_MAX * 3):
            read.append(number)
            yield call("petra", number)

    flights = Flights(rows())
    flights.start()

    assert [] == flights.start()
    assert FLIGHT_MAX + WAITING_MAX == len(read)


@given(
    clients=st.lists(st.sampled_from("abcdefgh"), max_size=400),
    landing=st.lists(st.integers(0, 3), max_size=40),
)
def test_every_entry_flies_once_and_in_the_order_of_its_client(clients, landing):
    """
    Whichever flight lands first, no row is lost or doubled, and no client's rows change places.
    """
    flights = Flights(call(client, number) for number, client in enumerate(clients))
    flown: list[Entry] = []
    in_air: list[list[Entry]] = []
    which = iter(landing)
    while True:
        while len(in_air) < 4 and (load := flights.start()):
            assert not {e.client for e in load} & {e.client for each in in_air for e in each}
            in_air.append(load)
            flown.extend(load)
        if not in_air:
            break
        [number] = list(islice(which, 1)) or [0]
        flights.land(in_air.pop(number % len(in_air)))

    assert list(range(len(clients))) == sorted(lines(flown))
    for client in set(clients):
        own = lines(entry for entry in flown if entry.client == client)
        assert sorted(own) == own
