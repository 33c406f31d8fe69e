"""The operations on clients. Source: https://www.freshbooks.com/api/clients, /api/active_deleted"""

from starlette.responses import Response

from sandbox.calls import Call, answer, id_of
from sandbox.freshbooks import client_write
from sandbox.freshbooks.account import Account, content
from sandbox.freshbooks.client_fields import view
from sandbox.freshbooks.client_filters import DEBTS, ordered, tests
from sandbox.freshbooks.client_index import ClientIndex
from sandbox.freshbooks.errors import feature_gate, unknown_client
from sandbox.freshbooks.paging import includes, page_of, searches
from sandbox.ledger import Record
from sandbox.past import Lag
from sandbox.remembered import Remembered
from sandbox.settings import bounds


class Clients:
    """Clients of the account, to be listed, read and written; deleted ones are only hidden."""

    def __init__(self, account: Account) -> None:
        self._account, self._index = account, ClientIndex(account.records)
        self._remembered = Remembered(account.records, "client")

    def index(self, call: Call) -> Response:
        """A page of active and archived clients, or of those that were searched for."""
        if gated := self._enter(call):
            return gated
        # The Python SDK sends these without `search[]`.
        wanted = searches(call) | {key: [call.query[key]] for key in DEBTS if key in call.query}
        settings, sort = self._account.settings, call.query.get("sort")
        lag = Lag(settings.lag_of((wanted.keys() & settings.LAGGING) or {"list"}), bounds(settings.update_lag))
        if lag.longest:
            shown = self._sought(call, wanted, sort, lag)
        else:
            key = (call.params["account"], str(wanted), sort)
            shown = self._remembered.get(key, lambda: self._sought(call, wanted, sort, lag))
        asked, extra = includes(call), settings.extra_total
        return answer(page_of(call, "clients", shown, lambda client: view(client, asked), extra))

    def get(self, call: Call) -> Response:
        """One client, deleted or not."""
        return self._enter(call) or self._answer(call, self._found(call))

    def create(self, call: Call) -> Response:
        """A new client: 200, not 201."""
        if gated := self._enter(call):
            return gated
        draft = content(call, "client")
        return self._answer(call, client_write.create(self._account, draft, call.params["account"]))

    def update(self, call: Call) -> Response:
        """A client after a change."""
        if gated := self._enter(call):
            return gated
        return self._answer(call, client_write.update(self._account, self._found(call), content(call, "client")))

    def _sought(self, call: Call, wanted: dict[str, list[str]], sort: str | None, lag: Lag) -> list[Record]:
        """Return the clients that a search finds, in order. Raises a 422 for a value that a key cannot take."""
        passed, account_id = tests(wanted), call.params["account"]
        found = self._account.records.listed("client", lag, self._index.candidates(wanted))
        if self._index.accounts[account_id] < self._index.accounts.total():
            found = [each for each in found if each["accounting_systemid"] == account_id]
        for test in passed:
            found = [each for each in found if test(each)]
        return ordered(found, sort)

    def _enter(self, call: Call) -> Response | None:
        """Check the account in the path; return the answer of the feature gate if that is shut."""
        self._account.check(call)
        return answer(feature_gate()) if self._account.settings.feature_gate else None

    def _found(self, call: Call) -> Record:
        client = self._account.records.get("client", id_of(call.params["id"]))
        if client is None or client["accounting_systemid"] != call.params["account"]:
            raise unknown_client(call.params["id"])
        return client

    def _answer(self, call: Call, client: Record) -> Response:
        return answer({"response": {"result": {"client": view(client, includes(call))}}})
