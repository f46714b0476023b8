"""
S10: a server elsewhere is spoken to over TLS, and only when it is who its name says.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from cryptography import x509

from clientela.adapters.postgres.store import PostgresStore
from clientela.domain.ids import ClientId, client_journal
from clientela.services.rows import Append, Head
from clientela.services.store_errors import StoreUnavailableError
from tests.adapters.appends import rows
from tests.adapters.authority import Authority
from tests.adapters.postgres_tls import encrypted


HERE = x509.DNSName("localhost")
ELSEWHERE = x509.DNSName("db.elsewhere.example")
PETRA = client_journal(ClientId("petra"))
DAY = timedelta(days=1)


@pytest.fixture
def authority():
    """Whom the service trusts."""
    return Authority()


@pytest.fixture
def trusted(authority, tmp_path):
    """What is added to a URL for the server to be checked by the authority."""
    path = tmp_path / "roots.crt"
    path.write_bytes(authority.certificate)
    return f"?sslmode=verify-full&sslrootcert={path}"


async def test_store_is_kept_behind_a_verified_certificate(authority, trusted):
    """
    S10: with `sslmode=verify-full` the store works over an encrypted connection.
    """
    async with encrypted(*authority.issue(HERE)) as url:
        store = await PostgresStore.open(url + trusted)
        try:
            appended = rows(PETRA, Head(), count=3)
            await store.append(Append(expected={PETRA: 0}, events=appended))
            found = await store.read(PETRA)
        finally:
            await store.close()

    assert [event.hash for event in appended] == [event.hash for event in found]


async def test_nobody_comes_in_unencrypted(authority):
    """
    S10: the server of these tests refuses plaintext, so what passed them was encrypted.
    """
    async with encrypted(*authority.issue(HERE)) as url:
        with pytest.raises(StoreUnavailableError):
            await PostgresStore.open(f"{url}?sslmode=disable")


@pytest.mark.parametrize(
    ("name", "validity"),
    [
        (ELSEWHERE, {}),
        (HERE, {"begins": -2 * DAY, "ends": -DAY}),
        (HERE, {"begins": DAY, "ends": 2 * DAY}),
    ],
    ids=["of another name", "ended", "not begun"],
)
async def test_wrong_certificate_is_refused(authority, trusted, name, validity):
    """
    S10: a certificate of another name, or out of its time, is nobody's to be told anything.
    """
    async with encrypted(*authority.issue(name, **validity)) as url:
        with pytest.raises(StoreUnavailableError, match="SSLCertVerificationError"):
            await PostgresStore.open(url + trusted)


async def test_certificate_of_a_stranger_is_refused(trusted):
    """
    S10: a certificate of the right name that another authority signed is refused.
    """
    async with encrypted(*Authority("stranger").issue(HERE)) as url:
        with pytest.raises(StoreUnavailableError, match="SSLCertVerificationError"):
            await PostgresStore.open(url + trusted)
