"""The operations on payments and credit notes.

Source: https://www.freshbooks.com/api/payments, /api/parameters
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.responses import Response

from sandbox.calls import Call, answer, id_of
from sandbox.freshbooks.account import Account, content
from sandbox.freshbooks.errors import feature_gate, unknown
from sandbox.freshbooks.list_filters import Maker, passing
from sandbox.freshbooks.paging import includes, page_of, searches
from sandbox.ledger import Record
from sandbox.past import Lag
from sandbox.settings import bounds


@dataclass(frozen=True)
class MoneyKind:
    """Payments, or credit notes: their name, the second name of their id, their search keys, how they are written."""

    name: str
    id_key: str
    filters: Mapping[str, Maker]
    create: Callable[[Record, str], Record]
    update: Callable[[Record, Record], Record]


class MoneyRecords:
    """Payments or credit notes of the account, to be listed, read and written; deleted ones are only hidden."""

    def __init__(self, account: Account, kind: MoneyKind) -> None:
        self._account, self._kind = account, kind

    def index(self, call: Call) -> Response:
        """A page of active and archived records, or of those that were searched for; the newest come first."""
        if gated := self._enter(call):
            return gated
        settings, wanted, asked = self._account.settings, searches(call), includes(call)
        lag = Lag(settings.lag_of((wanted.keys() & settings.LAGGING) or {"list"}), bounds(settings.update_lag))
        among = self._account.payments.find("invoiceid", wanted["invoiceid"][-1]) if self._by_invoice(wanted) else None
        listed = self._account.records.listed(self._kind.name, lag, among)
        own = [each for each in reversed(listed) if each["accounting_systemid"] == call.params["account"]]
        found = passing(self._kind.filters, wanted, own)
        extra = settings.extra_total
        return answer(page_of(call, f"{self._kind.name}s", found, lambda each: _view(each, asked), extra))

    def get(self, call: Call) -> Response:
        """One record, deleted or not."""
        return self._enter(call) or self._answer(call, self._found(call))

    def create(self, call: Call) -> Response:
        """A new record: 200, not 201."""
        if gated := self._enter(call):
            return gated
        return self._answer(call, self._kind.create(content(call, self._kind.name), call.params["account"]))

    def update(self, call: Call) -> Response:
        """A record after a change."""
        if gated := self._enter(call):
            return gated
        return self._answer(call, self._kind.update(self._found(call), content(call, self._kind.name)))

    def _by_invoice(self, wanted: Mapping[str, list[str]]) -> bool:
        return self._kind.name == "payment" and len(wanted.get("invoiceid", ())) == 1

    def _enter(self, call: Call) -> Response | None:
        self._account.check(call)
        return answer(feature_gate()) if self._account.settings.feature_gate else None

    def _found(self, call: Call) -> Record:
        record = self._account.records.get(self._kind.name, id_of(call.params["id"]))
        if record is None or record["accounting_systemid"] != call.params["account"]:
            raise unknown(self._kind.name, self._kind.id_key, call.params["id"])
        return record

    def _answer(self, call: Call, record: Record) -> Response:
        return answer({"response": {"result": {self._kind.name: _view(record, includes(call))}}})


def _view(record: Record, asked: set[str]) -> Record:
    return {key: value for key, value in record.items() if key != "lines" or "lines" in asked}
