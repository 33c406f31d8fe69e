"""The operations on clients. Source: https://www.freshbooks.com/api/clients, /api/active_deleted"""

from collections import defaultdict

from starlette.responses import Response

from sandbox.calls import Call, answer, id_of
from sandbox.clock import now
from sandbox.freshbooks.account import Account, content, eastern
from sandbox.freshbooks.client_fields import blank, view, written
from sandbox.freshbooks.client_filters import DEBTS, ordered, tests
from sandbox.freshbooks.errors import feature_gate, refused, unknown_client
from sandbox.freshbooks.paging import includes, page_of, searches
from sandbox.ledger import Record

VIS_STATES = {0, 1, 2}


class Clients:
    """Clients of the account, to be listed, read and written; deleted ones are only hidden."""

    def __init__(self, account: Account) -> None:
        self._account, self._records = account, account.records
        self._by_email: dict[str, set[int]] = defaultdict(set)
        account.records.watch("client", self._note_email)

    def index(self, call: Call) -> Response:
        """A page of active and archived clients, or of those that were searched for."""
        if gated := self._enter(call):
            return gated
        # The Python SDK sends these without `search[]`.
        bare = {key: [call.query[key]] for key in DEBTS if key in call.query}
        wanted = searches(call) | bare
        passed = tests(wanted)
        among = sorted(self._by_email.get(wanted["email"][-1].casefold(), ())) if "email" in wanted else None
        listed = self._records.listed("client", self._account.settings.search_lag, among)
        found = ordered([each for each in listed if all(test(each) for test in passed)], call.query.get("sort"))
        asked, extra = includes(call), self._account.settings.extra_total
        return answer(page_of(call, "clients", found, lambda client: view(client, asked), extra))

    def get(self, call: Call) -> Response:
        """One client, deleted or not."""
        return self._enter(call) or self._answer(call, self._found(call))

    def create(self, call: Call) -> Response:
        """A new client: 200, not 201. With an email address alone that becomes the organization's name too."""
        if gated := self._enter(call):
            return gated
        draft, at = content(call, "client"), now()
        client = written(self._account, blank(self._account, 0, at), draft)
        if client["email"] and not (client["organization"] or client["fname"] or client["lname"]):
            client["organization"] = client["email"]
        number = self._records.next_id("client")
        named = blank(self._account, number, at)
        given = draft.get("username")
        client |= {"id": number, "userid": number, "uuid": named["uuid"], "username": given or named["username"]}
        client["contacts"] = [{**each, "userid": number} for each in client["contacts"]]
        self._records.commit("create", "client", number, client)
        return self._answer(call, client)

    def update(self, call: Call) -> Response:
        """A client after the first phase that applies; what belongs to later phases is dropped without a word."""
        if gated := self._enter(call):
            return gated
        client, changes = self._found(call), content(call, "client")
        changed = {**self._phase(client, changes), "updated": eastern(now())}
        self._records.commit("update", "client", client["id"], changed)
        return self._answer(call, changed)

    def _phase(self, client: Record, changes: Record) -> Record:
        if "ext_vis_state" in changes:
            return client  # of no consequence for clients that is known of
        if "vis_state" in changes:
            state = changes["vis_state"]
            if type(state) is not int or state not in VIS_STATES:
                raise refused(1004, "'vis_state' must be 0, 1 or 2.", "vis_state", value=state)
            return {**client, "vis_state": state}
        if any(key.startswith("action_") for key in changes):
            return client
        return written(self._account, client, changes)

    def _note_email(self, before: Record | None, after: Record | None) -> None:
        if before:
            self._by_email[str(before["email"]).casefold()].discard(before["id"])
        if after:
            self._by_email[str(after["email"]).casefold()].add(after["id"])

    def _enter(self, call: Call) -> Response | None:
        """Check the account in the path; return the answer of the feature gate if that is shut."""
        self._account.check(call)
        return answer(feature_gate()) if self._account.settings.feature_gate else None

    def _found(self, call: Call) -> Record:
        client = self._records.get("client", id_of(call.params["id"]))
        if client is None:
            raise unknown_client(call.params["id"])
        return client

    def _answer(self, call: Call, client: Record) -> Response:
        return answer({"response": {"result": {"client": view(client, includes(call))}}})
