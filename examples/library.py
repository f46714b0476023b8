"""A shop in one process: two sellers and a client, purchases, points, stages, and why."""

from datetime import UTC, datetime

from clientela.domain.backtest import backtest
from clientela.domain.facts import BusinessKey, Line
from clientela.domain.identity.registration import RegisterClient
from clientela.domain.lifecycle.explanation import explain
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.money import Money
from clientela.domain.organisation.hiring import RegisterEmployee
from clientela.domain.organisation.units import RegisterUnit, UnitKind
from clientela.domain.ownership.claim import Approach
from clientela.domain.ownership.refusals import ClientTakenError
from clientela.domain.personal import Personal, TokenVault
from clientela.domain.purchase.matching import Wanted
from clientela.domain.purchase.recording import RecordPurchase, RecordReturn
from clientela.domain.standard import standard_company

RULES = """
lifecycle.presets = ["efremova"]
[loyalty]
currency = "EUR"
enrol = "on-first-purchase"
expires_after_months = 12
shortfall = "debt"
awards = [{ points = 1, per_minor = 100, rounding = "line" }]
"""

def empty(rules):
    return standard_company(rules, vault=TokenVault(b"secret"), now=datetime(2026, 3, 2, tzinfo=UTC))

shop = empty(RULES)
shop.run(RegisterUnit(unit_id="north", kind=UnitKind.BRANCH, label="north"))
for name in ("marta", "ivo"):
    shop.run(RegisterEmployee(employee_id=name, unit_id="north", name=Personal(name.title())))
(petra,) = {e.journal for e in shop.run(RegisterClient(client_id="petra")).events}

def fact(ref):
    found = shop.history(ref.journal)[ref.version - 1]
    return f"{found.type.name} of {found.occurred_at:%d %B} ({ref})"

for name in ("marta", "ivo"):
    try:
        shop.run(Approach(client_id="petra", employee_id=name, channel="phone"))
        print(f"{name} approached petra: {fact(shop.events[-1].ref)}")
    except ClientTakenError as refused:
        print(f"{name} was refused by {refused.rule} ({refused.reason}): {fact(refused.because[0])}")

