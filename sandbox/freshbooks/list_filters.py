"""Search keys of documents, payments, credit notes, items, taxes and staff. What is not known is ignored, and the list
comes unfiltered.

Source: https://www.freshbooks.com/api/parameters
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from sandbox.freshbooks.client_filters import FALSE, SHOWN_BY_DEFAULT, TRUE, Test, day_of, number_of
from sandbox.freshbooks.errors import refused
from sandbox.freshbooks.values import number
from sandbox.ledger import Record

Maker = Callable[[str, list[str]], Test]
"""Makes the test of a search key of its name and values. Raises a 422."""


def passing(filters: Mapping[str, Maker], searches: dict[str, list[str]], records: Iterable[Record]) -> list[Record]:
    """Return the records that a search finds; deleted ones only where their state is asked for."""
    tests = [filters[key](key, values) for key, values in searches.items() if key in filters]
    if "vis_state" not in searches:
        tests.append(lambda record: record.get("vis_state", 0) in SHOWN_BY_DEFAULT)
    return [each for each in records if all(test(each) for test in tests)]


def _ids(field: str) -> Maker:
    def make(key: str, values: list[str]) -> Test:
        wanted = {number_of(key, each) for each in values}
        return lambda record: record[field] in wanted

    return make


def _equal(field: str) -> Maker:
    return lambda _key, values: lambda record: bool(record[field] == values[-1])


def _like(*fields: str) -> Maker:
    def make(_key: str, values: list[str]) -> Test:
        wanted = values[-1].casefold()
        return lambda record: any(wanted in str(record[field] or "").casefold() for field in fields)

    return make


def _from_day(field: str) -> Maker:
    def make(key: str, values: list[str]) -> Test:
        day = day_of(key, values[-1])
        return lambda record: str(record[field])[:10] >= day

    return make


def _to_day(field: str) -> Maker:
    def make(key: str, values: list[str]) -> Test:
        day = day_of(key, values[-1])
        return lambda record: str(record[field])[:10] <= day

    return make


def _true(test: Test) -> Maker:
    def make(key: str, values: list[str]) -> Test:
        said = values[-1].casefold()
        if said not in TRUE | FALSE:
            raise refused(1032, f"The filter '{key}' must be true or false.", key, "", value=said)
        return lambda record: test(record) == (said in TRUE)

    return make


def _amount(field: str, *, least: bool) -> Maker:
    def make(key: str, values: list[str]) -> Test:
        bound = number(key, values[-1], "")
        return lambda record: (Decimal(record[field]["amount"]) - bound) * (1 if least else -1) >= 0

    return make


def _owes(invoice: Record) -> bool:
    return Decimal(invoice["outstanding"]["amount"]) > 0 and invoice["v3_status"] != "draft"


UPDATED = {"updated_min": _from_day("updated"), "updated_max": _to_day("updated")}
STATE = {"vis_state": _ids("vis_state")}
INVOICES: Mapping[str, Maker] = {
    **{key: _ids("customerid") for key in ("customerid", "customerids")},
    **{key: _ids("id") for key in ("invoiceid", "invoiceids")},
    "invoice_number": _equal("invoice_number"),
    "date_min": _from_day("create_date"),
    "date_max": _to_day("create_date"),
    "v3_status": _equal("v3_status"),
    "paid": _true(lambda invoice: bool(invoice["payment_status"] == "paid")),
    "outstanding": _true(_owes),
    **UPDATED,
    **STATE,
}
ESTIMATES: Mapping[str, Maker] = {
    **{key: _ids("id") for key in ("estimateid", "estimateids")},
    "customerid": _ids("customerid"),
    "estimate_number": _equal("estimate_number"),
    "estimate_number_like": _like("estimate_number"),
    "notes": _like("notes"),
    **{key: _ids("status") for key in ("statusid", "statusids")},
    **UPDATED,
    **STATE,
}
ITEMS: Mapping[str, Maker] = {
    **{key: _ids("id") for key in ("itemid", "itemids")},
    "sku": _equal("sku"),
    "description": _like("description"),
    "unit_cost_min": _amount("unit_cost", least=True),
    "unit_cost_max": _amount("unit_cost", least=False),
    **UPDATED,
    **STATE,
}
PAYMENTS: Mapping[str, Maker] = {
    **{key: _ids("id") for key in ("logid", "logids")},
    "invoiceid": _ids("invoiceid"),
    **{key: _ids("clientid") for key in ("clientid", "clientids", "customerid", "customerids")},
    "date_min": _from_day("date"),
    "date_max": _to_day("date"),
    "amount_min": _amount("amount", least=True),
    "amount_max": _amount("amount", least=False),
    "type": _equal("type"),
    "currency": lambda _key, values: lambda payment: bool(payment["amount"]["code"] == values[-1]),
    "notes": _like("note"),
    "from_credit": _true(lambda payment: bool(payment["from_credit"])),
    **UPDATED,
    **STATE,
}
CREDITS: Mapping[str, Maker] = {
    "clientid": _ids("clientid"),
    "date_min": _from_day("create_date"),
    "date_max": _to_day("create_date"),
    **STATE,
}
TAXES: Mapping[str, Maker] = {
    **{key: _ids("id") for key in ("taxid", "taxids")},
    "name": _like("name"),
    "number": _like("number"),
    "compound": _true(lambda tax: bool(tax["compound"])),
    **UPDATED,
}
STAFF: Mapping[str, Maker] = {
    **{key: _ids("id") for key in ("userid", "userids")},
    "user_like": _like("fname", "lname", "email", "username"),
    "email_like": _like("email"),
    **STATE,
}
