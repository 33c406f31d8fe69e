"""The operations on estimates and invoices.

Source: https://www.freshbooks.com/api/estimates, /api/invoices, /api/active_deleted
"""

from collections.abc import Iterator, Mapping

from starlette.responses import Response

from sandbox.calls import Call, answer, id_of
from sandbox.freshbooks.account import Account, content
from sandbox.freshbooks.client_filters import DAYS, day_of
from sandbox.freshbooks.document_kind import DocumentKind
from sandbox.freshbooks.document_write import DocumentWriter
from sandbox.freshbooks.errors import feature_gate, unknown
from sandbox.freshbooks.invoices import INVOICE, shown_state
from sandbox.freshbooks.list_filters import ESTIMATES, INVOICES, passing
from sandbox.freshbooks.paging import includes, page_of, searches
from sandbox.ledger import Record
from sandbox.lookup import Lookup
from sandbox.past import Lag
from sandbox.settings import bounds

FILTERS = {"estimate": ESTIMATES, "invoice": INVOICES}
BARE = ("paid", "outstanding")
"""Filters that some callers send without `search[]`."""


class Documents:
    """Estimates or invoices of the account, to be listed, read and written; deleted ones are only hidden."""

    def __init__(self, account: Account, kind: DocumentKind) -> None:
        self._account, self._kind = account, kind
        self._lookup = Lookup(account.records, kind.name, self._keys)
        self.writer = DocumentWriter(account, kind, self._lookup)

    def index(self, call: Call) -> Response:
        """A page of active and archived documents, or of those that were searched for; with lines if they are included.

        The newest come first unless they are sorted by `invoice_date`, the only key that is known to work.
        """
        if gated := self._enter(call):
            return gated
        found, sort = self._sought(call), call.query.get("sort")
        found.reverse()
        if self._kind is INVOICE and sort in ("invoice_date_asc", "invoice_date_desc"):
            found.sort(key=lambda invoice: str(invoice["create_date"]), reverse=sort.endswith("desc"))
        asked, extra = includes(call), self._account.settings.extra_total
        return answer(page_of(call, f"{self._kind.name}s", found, lambda each: self._view(each, asked), extra))

    def get(self, call: Call) -> Response:
        """One document, deleted or not."""
        return self._enter(call) or self._answer(call, self._found(call))

    def create(self, call: Call) -> Response:
        """A new document: 200, not 201."""
        if gated := self._enter(call):
            return gated
        draft = content(call, self._kind.name)
        return self._answer(call, self.writer.create(draft, call.params["account"]))

    def update(self, call: Call) -> Response:
        """A document after a change, or after an action."""
        if gated := self._enter(call):
            return gated
        return self._answer(call, self.writer.update(self._found(call), content(call, self._kind.name)))

    def delete(self, call: Call) -> Response:
        """The same as a deletion by `vis_state`, answered with nothing in it."""
        if gated := self._enter(call):
            return gated
        self.writer.remove(self._found(call)["id"])
        return answer({"response": {}})

    def _sought(self, call: Call) -> list[Record]:
        """Return what a search finds, oldest first. Raises a 422 for a value that a key cannot take."""
        settings = self._account.settings
        wanted = searches(call) | {key: [call.query[key]] for key in BARE if key in call.query}
        if self._kind is not INVOICE and not settings.estimates_by_client:
            wanted.pop("customerid", None)
        lag = Lag(settings.lag_of((wanted.keys() & settings.LAGGING) or {"list"}), bounds(settings.update_lag))
        listed = self._account.records.listed(self._kind.name, lag, self._candidates(wanted))
        own = [each for each in listed if each["accounting_systemid"] == call.params["account"]]
        if "v3_status" in wanted and self._kind is INVOICE:
            own = [{**each, **shown_state(self._account, each)} for each in own]
        return passing(FILTERS[self._kind.name], wanted, own)

    def _candidates(self, wanted: Mapping[str, list[str]]) -> set[int] | None:
        """Return the ids of the documents to look at where the index knows one of the search keys, else None."""
        for key in (self._kind.number_key, "customerid"):
            if key in wanted:
                return set(self._lookup.find(key, wanted[key][-1]))
        if not wanted.keys() & set(DAYS):
            return None
        first, last = (day_of(key, wanted[key][-1]) if key in wanted else "" for key in DAYS)
        days = [day for day in self._lookup.values("day") if first <= day <= (last or day)]
        return set().union(*(self._lookup.find("day", day) for day in days))

    def _keys(self, document: Record) -> Iterator[tuple[str, str]]:
        yield self._kind.number_key, str(document[self._kind.number_key])
        yield "customerid", str(document["customerid"])
        yield "day", str(document["updated"])[:10]

    def _enter(self, call: Call) -> Response | None:
        """Check the account in the path; return the answer of the feature gate if that is shut."""
        self._account.check(call)
        return answer(feature_gate()) if self._account.settings.feature_gate else None

    def _found(self, call: Call) -> Record:
        document = self._account.records.get(self._kind.name, id_of(call.params["id"]))
        if document is None or document["accounting_systemid"] != call.params["account"]:
            raise unknown(self._kind.name, self._kind.id_key, call.params["id"])
        return document

    def _view(self, document: Record, asked: set[str]) -> Record:
        """Return a document as answered: its lines only where they were asked for."""
        client = self._account.records.get("client", document["customerid"]) or {}
        shown = {key: value for key, value in document.items() if key != "lines" or "lines" in asked}
        shown["current_organization"] = client.get("organization", "")
        return shown if self._kind is not INVOICE else {**shown, **shown_state(self._account, document)}

    def _answer(self, call: Call, document: Record) -> Response:
        return answer({"response": {"result": {self._kind.name: self._view(document, includes(call))}}})
