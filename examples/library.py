"""A shop in one process: two sellers and a client, points and stages, and why all is as it is."""

from datetime import UTC, datetime
from functools import partial

from clientela.domain import ids
from clientela.domain.backtest import backtest
from clientela.domain.facts import BusinessKey, Line
from clientela.domain.identity.registration import RegisterClient
from clientela.domain.lifecycle.explanation import explain
from clientela.domain.loyalty.balance import balance
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
empty = partial(standard_company, vault=TokenVault(b"secret"), now=datetime(2026, 3, 2, tzinfo=UTC))
shop, petra, north = empty(RULES), ids.ClientId("petra"), ids.UnitId("north")
client, wallet = ids.client_journal(petra), ids.wallet_journal(ids.WalletId(petra))
shop.run(RegisterUnit(unit_id=north, kind=UnitKind.BRANCH, label=ids.Code("north")))
shop.run(RegisterClient(client_id=petra))
for name in (ids.EmployeeId("marta"), ids.EmployeeId("ivo")):
    shop.run(RegisterEmployee(employee_id=name, unit_id=north, name=Personal(name)))
    try:
        shop.run(Approach(client_id=petra, employee_id=name, channel=ids.Code("phone")))
        print(f"{name} looks after petra, by {shop.events[-1].rule}")
    except ClientTakenError as refused:
        facts = ", ".join(f"{shop.recorded(ref).type.name} ({ref})" for ref in refused.because)
        print(f"{name} is refused by {refused.rule}, {refused.reason}: {facts}")
for day, sku, price in ((3, ids.Code("kettle"), 89_90), (17, ids.Code("teapot"), 45_50)):
    shop.advance(datetime(2026, 3, day, 15, tzinfo=UTC))
    line = Line(line_id=ids.Code("1"), sku=sku, quantity=1, net=Money(price, "EUR"))
    key = BusinessKey(ids.Code("till"), ids.BusinessId(f"receipt-{day}"))
    shop.run(RecordPurchase(client_id=petra, purchase=key, lines=(line,)))
    why = explain(shop.record(client), ids.Code("efremova"), shop.definitions, shop.now)
    points = balance(shop.record(wallet).of(Wallet), shop.now).available
    print(f"{why.stage}, by {why.rule}: {', '.join(map(str, why.facts))}; {points} points")
slip = BusinessKey(ids.Code("till"), ids.BusinessId("return-1"))
back = (Wanted(quantity=1, sku=ids.Code("kettle")),)
shop.run(RecordReturn(client_id=petra, return_key=slip, currency="EUR", lines=back))
print(f"{balance(shop.record(wallet).of(Wallet), shop.now).available} points after a return")
others = empty(RULES.replace("points = 1", "points = 2")).definitions
for each in backtest(shop.events, empty, shop.definitions, others):
    print(f"{each.kind.value}: {each.name}, {each.value()['lines'][0]['points']} points")
