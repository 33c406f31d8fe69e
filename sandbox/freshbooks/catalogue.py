"""Items and taxes. Lines of documents name a tax and its percentage, never its id.

Source: https://www.freshbooks.com/api/items, /api/taxes
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.responses import Response

from sandbox.calls import Call, answer, id_of
from sandbox.freshbooks.account import ACCOUNT_ID, CURRENCY, Account, content, eastern
from sandbox.freshbooks.errors import feature_gate, refused, unknown
from sandbox.freshbooks.list_filters import ITEMS, TAXES, Maker, passing
from sandbox.freshbooks.paging import page_of, searches
from sandbox.freshbooks.totals import reckoner
from sandbox.freshbooks.values import flag, money, percent, plain, text, vis_state, whole
from sandbox.freshbooks.values import number as number_in
from sandbox.ledger import Record

Write = Callable[[Account, Record, Record], Record]
"""Returns the fields of a record after a draft was written to it. Raises a 422."""


@dataclass(frozen=True)
class Entry:
    """One of the two kinds of record: its `name`, and what of it can be searched for and written."""

    name: str
    plural: str
    filters: Mapping[str, Maker]
    write: Write


class Catalogue:
    """Items or taxes of the account."""

    def __init__(self, account: Account, entry: Entry) -> None:
        self._account, self._entry = account, entry

    def index(self, call: Call) -> Response:
        """A page of records, newest first."""
        if gated := self._enter(call):
            return gated
        all_own = [each for each in self._records() if each["accounting_systemid"] == call.params["account"]]
        found = passing(self._entry.filters, searches(call), reversed(all_own))
        return answer(page_of(call, self._entry.plural, found, lambda each: each, self._account.settings.extra_total))

    def get(self, call: Call) -> Response:
        """One record."""
        return self._enter(call) or self._answer(self._found(call))

    def create(self, call: Call) -> Response:
        """A new record: 200, not 201."""
        if gated := self._enter(call):
            return gated
        return self._answer(self.add(content(call, self._entry.name), call.params["account"]))

    def update(self, call: Call) -> Response:
        """A record after a change."""
        if gated := self._enter(call):
            return gated
        return self._answer(self.edit(self._found(call)["id"], content(call, self._entry.name)))

    def delete(self, call: Call) -> Response:
        """A tax is gone at once, and its name is free; documents keep what they say."""
        if gated := self._enter(call):
            return gated
        self.remove(self._found(call)["id"])
        return answer({"response": {}})

    def add(self, draft: Record, account_id: str = ACCOUNT_ID) -> Record:
        """Create a record and return it. Raises a 422."""
        written = self.drafted(draft, account_id)
        number = self._account.next_id(self._entry.name)
        record = {"id": number, f"{self._entry.name}id": number, **written}
        self._account.records.commit("create", self._entry.name, number, record)
        return record

    def drafted(self, draft: Record, account_id: str) -> Record:
        """Return a record as it would be, but for its id. Raises a 422."""
        found = self._entry.write(self._account, {"accounting_systemid": account_id}, draft)
        return {**found, "updated": eastern(self._account.now())}

    def edit(self, record_id: int, changes: Record) -> Record:
        """Change a record and return it; a `vis_state` drops everything else. Raises the 404 or a 422."""
        record = self._known(record_id)
        if "vis_state" in record and "vis_state" in changes:
            written = {**record, "vis_state": vis_state(changes["vis_state"], self._entry.name)}
        else:
            written = self._entry.write(self._account, record, {**record, **changes})
        changed = {**record, **written, "updated": eastern(self._account.now())}
        self._account.records.commit("update", self._entry.name, record_id, changed)
        return changed

    def remove(self, record_id: int) -> Record:
        """Hide an item, or take a tax away, and return it. Raises the 404."""
        record = self._known(record_id)
        if "vis_state" in record:
            return self.edit(record_id, {"vis_state": 1})
        self._account.records.commit("delete", self._entry.name, record_id, record)
        return record

    def _records(self) -> list[Record]:
        return self._account.records.all(self._entry.name)

    def _enter(self, call: Call) -> Response | None:
        self._account.check(call)
        return answer(feature_gate()) if self._account.settings.feature_gate else None

    def _known(self, record_id: object) -> Record:
        record = self._account.records.get(self._entry.name, id_of(str(record_id)))
        if record is None:
            raise unknown(self._entry.name, f"{self._entry.name}id", record_id)
        return record

    def _found(self, call: Call) -> Record:
        record = self._known(call.params["id"])
        if record["accounting_systemid"] != call.params["account"]:
            raise unknown(self._entry.name, f"{self._entry.name}id", call.params["id"])
        return record

    def _answer(self, record: Record) -> Response:
        return answer({"response": {"result": {self._entry.name: record}}})


def _item(account: Account, before: Record, draft: Record) -> Record:
    if not draft.get("name"):
        raise refused(1001, "'name' is a required field.", "name", "item")
    cost = draft.get("unit_cost") or {"amount": "0"}
    code = str(cost.get("code") or CURRENCY) if isinstance(cost, dict) else CURRENCY
    reckon = reckoner(account.settings, code)
    tracked = draft.get("inventory")
    return {
        **before,
        "name": text("name", draft["name"], "", "item"),
        "description": text("description", draft.get("description"), "", "item", long=True),
        "unit_cost": reckon.money(money("unit_cost", cost, code, "item")),
        "qty": plain(number_in("qty", draft.get("qty") or 1, "item")),
        "inventory": None if tracked is None else plain(number_in("inventory", tracked, "item")),
        "sku": text("sku", draft.get("sku"), None, "item"),
        "tax1": whole("tax1", draft.get("tax1") or 0, "item"),
        "tax2": whole("tax2", draft.get("tax2") or 0, "item"),
        "vis_state": before.get("vis_state", 0),
    }


def _tax(account: Account, before: Record, draft: Record) -> Record:
    name = text("name", draft.get("name"), "", "tax")
    if not name:
        raise refused(1001, "'name' is a required field.", "name", "tax")
    others = [each for each in account.records.all("tax") if each["id"] != before.get("id")]
    if any((each["name"], each["accounting_systemid"]) == (name, before["accounting_systemid"]) for each in others):
        raise refused(1026, "A tax of this name exists.", "name", "tax", value=name)
    return {
        **before,
        "name": name,
        "amount": percent("amount", draft.get("amount"), "tax"),
        "number": text("number", draft.get("number"), None, "tax"),
        "compound": flag("compound", draft.get("compound", False), "tax"),
    }


ITEM = Entry("item", "items", ITEMS, _item)
TAX = Entry("tax", "taxes", TAXES, _tax)
