"""The operations on callbacks. Source: https://www.freshbooks.com/api/webhooks"""

from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from sandbox.calls import Call, answer, id_of
from sandbox.clock import zulu
from sandbox.freshbooks.account import Account
from sandbox.freshbooks.errors import EVENTS, denied, invalid_callback, unknown_callback
from sandbox.freshbooks.events import Events, account_of
from sandbox.freshbooks.paging import page_of, searches
from sandbox.ledger import Record
from sandbox.tokens import minted

SCOPES = {
    "bill": "bills",
    "bill_vendor": "bill_vendors",
    "category": "expenses",
    "client": "clients",
    "credit_note": "credit_notes",
    "estimate": "estimates",
    "expense": "expenses",
    "invoice": "invoices",
    "item": "billable_items",
    "payment": "payments",
    "project": "projects",
    "recurring": "invoices",
    "service": "billable_items",
    "tax": "taxes",
    "time_entry": "time_entries",
}
"""Each noun that can be listened to, and the object of the read scope that it needs."""

VERBS = {"create", "update", "delete"}
BY_EMAIL = {"estimate.sendByEmail", "invoice.sendByEmail"}
MEDIA = "application/vnd.api+json"


class Callbacks:
    """The callbacks of the account. Nothing prevents two for the same event and address."""

    def __init__(self, account: Account, events: Events) -> None:
        self._account, self._records, self._events = account, account.records, events

    def index(self, call: Call) -> Response:
        """A page of callbacks; a search for an event also finds those for its whole noun."""
        self._check(call)
        found = [each for each in self._records.all("callback") if account_of(each) == call.params["account"]]
        for event in searches(call).get("event", []):
            found = [each for each in found if each["event"] in {event, event.partition(".")[0]}]
        return answer(page_of(call, "callbacks", found, _view, 0), media=MEDIA)

    def get(self, call: Call) -> Response:
        """One callback."""
        return _answer(self._found(call))

    def create(self, call: Call) -> Response:
        """A new callback: 200, unverified; the handshake is sent at once."""
        self._check(call)
        event, uri = self._wanted(call, _content(call), {})
        number = self._records.next_id("callback")
        verifier = minted(self._account.seed, "freshbooks", "verifier", number)[:24]
        callback = {
            "callbackid": number,
            "verified": False,
            "uri": uri,
            "event": event,
            "updated_at": zulu(self._account.now()),
            "verifier": verifier,
            "account_id": call.params["account"],
        }
        self._records.commit("create", "callback", number, callback)
        self._events.handshake(callback)
        return _answer(callback)

    def update(self, call: Call) -> Response:
        """Verify a callback, have its handshake sent again, or change event or address, which makes it unverified."""
        callback, draft = self._found(call), _content(call)
        if "verifier" in draft:
            if draft["verifier"] != callback["verifier"]:
                raise invalid_callback("verifier: Value error, Verifier does not match.")
            return self._store({**callback, "verified": True})
        if draft.get("resend") is True:
            self._events.handshake(callback)
            return _answer(callback)
        event, uri = self._wanted(call, draft, callback)
        answered = self._store({**callback, "event": event, "uri": uri, "verified": False})
        self._events.handshake(self._found(call))
        return answered

    def delete(self, call: Call) -> Response:
        """204."""
        callback = self._found(call)
        self._records.commit("delete", "callback", callback["callbackid"], callback)
        return Response(status_code=204)

    def _store(self, callback: Record) -> Response:
        changed = {**callback, "updated_at": zulu(self._account.now())}
        self._records.commit("update", "callback", changed["callbackid"], changed)
        return _answer(changed)

    def _wanted(self, call: Call, draft: Record, before: Record) -> tuple[str, str]:
        """Return event and address. Raises the 400, or the 403 if the token may not read what it wants to hear of."""
        event, uri = draft.get("event", before.get("event")), draft.get("uri", before.get("uri"))
        details = [] if _is_event(event) else ["event: Value error, Unrecognized event."]
        if not _is_url(uri):
            details.append("uri: Input should be a valid URL, relative URL without a base")
        if details:
            raise invalid_callback(*details)
        noun = str(event).partition(".")[0]
        if f"user:{SCOPES[noun]}:read" not in call.token["scope"].split():
            raise denied(EVENTS)
        return str(event), str(uri)

    def _check(self, call: Call) -> None:
        if not self._account.knows(call.params["account"]):
            raise unknown_callback()

    def _found(self, call: Call) -> Record:
        self._check(call)
        callback = self._records.get("callback", id_of(call.params["id"]))
        if callback is None or account_of(callback) != call.params["account"]:
            raise unknown_callback()
        return callback


def _content(call: Call) -> Record:
    try:
        body = call.json()
    except ValueError as error:
        raise invalid_callback("body: Input should be valid JSON") from error
    found = body.get("callback") if isinstance(body, dict) else None
    if not isinstance(found, dict):
        raise invalid_callback("callback: Field required")
    return found


def _is_event(event: Any) -> bool:
    noun, _, verb = str(event).partition(".")
    return noun in SCOPES and (verb in VERBS or event == noun or event in BY_EMAIL)


def _is_url(uri: Any) -> bool:
    parts = urlsplit(uri) if isinstance(uri, str) else None
    return bool(parts and parts.scheme in {"http", "https"} and parts.netloc)


def _view(callback: Record) -> Record:
    return {key: callback[key] for key in ("callbackid", "verified", "uri", "event", "updated_at")}


def _answer(callback: Record) -> Response:
    return answer({"response": {"result": {"callback": _view(callback)}}}, media=MEDIA)
