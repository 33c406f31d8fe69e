"""Events as FreshBooks sends them: a signed form, to verified callbacks only, with nothing but ids in it.

Source: https://www.freshbooks.com/api/webhooks
"""

import base64
import hashlib
import hmac
import json
from urllib.parse import urlencode

from sandbox.courier import Courier, Forgery, Parcel
from sandbox.freshbooks import emails
from sandbox.freshbooks.account import ACCOUNT_ID, IDENTITY_ID, Account
from sandbox.freshbooks.client_write import DELETED
from sandbox.ledger import Record, by_control

PAUSES = (10.0, 60.0, 300.0, 1800.0)
"""Seconds between the attempts of a delivery. FreshBooks publishes none: a decision of the sandbox."""

SIGNATURE = "X-FreshBooks-Hmac-SHA256"
HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}

NOUNS = {"client", "credit_note", "estimate", "invoice", "item", "payment", "tax"} | {
    "project",
    "service",
    "time_entry",
}
"""Kinds of records whose changes are told."""

FAILURES_UNTIL_DISABLED = 3
"""Deliveries in a row that fail at every attempt before a callback counts as unverified again. A decision too."""


class Events:
    """Turns writes into deliveries, and keeps score of the callbacks that fail."""

    def __init__(self, account: Account, courier: Courier) -> None:
        self._account, self._records, self._courier = account, account.records, courier
        self._failures: dict[int, int] = {}
        courier.subscriptions = self
        account.records.listeners.append(self._announce)

    def handshake(self, callback: Record) -> None:
        """Send the verifier, which has to come back before anything else is sent."""
        number = str(callback["callbackid"])
        form = {"name": "callback.verify", "object_id": number, "account_id": account_of(callback)}
        parcel = self._parcel(callback, {**form, "verifier": callback["verifier"]})
        self._courier.dispatch_at_once(parcel)

    def is_live(self, hook_id: int) -> bool:
        """Return whether the callback still exists."""
        return self._records.get("callback", hook_id) is not None

    def delivered(self, hook_id: int) -> None:
        """Forget earlier failures."""
        self._failures.pop(hook_id, None)

    def refused(self, hook_id: int, status: int) -> None:
        """Nothing changes: any answer but success is tried again."""

    def gave_up(self, hook_id: int) -> None:
        """Disable a callback that keeps failing; the handshake enables it again."""
        self._failures[hook_id] = self._failures.get(hook_id, 0) + 1
        callback = self._records.get("callback", hook_id)
        if callback and callback["verified"] and self._failures[hook_id] >= FAILURES_UNTIL_DISABLED:
            self.disable(hook_id)

    def disable(self, hook_id: int) -> None:
        """Make a callback unverified, without a caller of the API who asked for it."""
        callback = self._records.get("callback", hook_id)
        if callback:
            with by_control():
                self._records.commit("update", "callback", hook_id, {**callback, "verified": False})

    def forged(self, forgery: Forgery) -> list[Parcel]:
        """Return a lie for each verified callback of its event, signed with a key that FreshBooks never gave out."""
        form = {**self._form(forgery.event, forgery.id, ACCOUNT_ID), **forgery.fields}
        listening = [each for each in self._records.all("callback") if _hears(each, forgery.event)]
        targets = {each["callbackid"]: each["uri"] for each in listening}
        if forgery.target is not None:
            targets = {0: forgery.target}
        headers = dict(HEADERS)
        if forgery.key is not None:
            headers[SIGNATURE] = signature(forgery.key, form)
        body = urlencode(form).encode()
        return [Parcel(hook_id, target, forgery.event, body, headers) for hook_id, target in targets.items()]

    def _announce(self, operation: str, kind: str, before: Record | None, record: Record) -> None:
        if kind == emails.KIND:
            self._tell(f"{record['kind']}.sendByEmail", record["object_id"], record["accounting_systemid"])
        if kind not in NOUNS:
            return
        hidden = before is not None and _is_hidden(kind, record) and not _is_hidden(kind, before)
        verb = "delete" if hidden else operation
        self._tell(f"{kind}.{verb}", record["id"], record["accounting_systemid"])

    def _tell(self, name: str, object_id: int, account_id: str) -> None:
        for callback in self._records.all("callback"):
            if _hears(callback, name) and account_of(callback) == account_id:
                self._courier.dispatch(self._parcel(callback, self._form(name, object_id, account_id)))

    def _parcel(self, callback: Record, form: dict[str, str]) -> Parcel:
        headers = dict(HEADERS)
        if self._account.settings.hooks.signed:
            headers[SIGNATURE] = signature(callback["verifier"], form)
        return Parcel(callback["callbackid"], callback["uri"], form["name"], urlencode(form).encode(), headers)

    def _form(self, name: str, object_id: int, account_id: str) -> dict[str, str]:
        return {
            "name": name,
            "object_id": str(object_id),
            "account_id": account_id,
            "business_id": str(self._account.business_id_of(account_id)),
            "identity_id": str(IDENTITY_ID),
            "user_id": "1",
        }


def signature(verifier: str, form: dict[str, str]) -> str:
    """Return the signature over a form: HMAC-SHA256 of its JSON text in the order of its fields, in base64."""
    text = json.dumps(form)
    return base64.b64encode(hmac.new(verifier.encode(), text.encode(), hashlib.sha256).digest()).decode()


def account_of(callback: Record) -> str:
    """Return the account of a callback; one from a ledger of an earlier version belongs to the sandbox's own."""
    return str(callback.get("account_id", ACCOUNT_ID))


def _is_hidden(kind: str, record: Record) -> bool:
    """Return whether a record is deleted but kept. Projects are never: those that are not active are put away."""
    return not record["active"] if kind == "time_entry" else record.get("vis_state") == DELETED


def _hears(callback: Record, name: str) -> bool:
    return callback["verified"] and callback["event"] in {name, name.partition(".")[0]}
