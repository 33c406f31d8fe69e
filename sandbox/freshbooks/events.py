"""Events as FreshBooks sends them: a signed form, to verified callbacks only, with nothing but ids in it.

Source: https://www.freshbooks.com/api/webhooks
"""

import base64
import hashlib
import hmac
import json
from urllib.parse import urlencode

from sandbox.courier import Courier, Parcel
from sandbox.freshbooks.account import ACCOUNT_ID, BUSINESS_ID, IDENTITY_ID, Account
from sandbox.ledger import VIA, Record

PAUSES = (10.0, 60.0, 300.0, 1800.0)
"""Seconds between the attempts of a delivery. FreshBooks publishes none: a decision of the sandbox."""

FAILURES_UNTIL_DISABLED = 3
"""Deliveries in a row that fail at every attempt before a callback counts as unverified again. A decision too."""

DELETED = 1


class Events:
    """Turns writes into deliveries, and keeps score of the callbacks that fail."""

    def __init__(self, account: Account, courier: Courier) -> None:
        self._account, self._records, self._courier = account, account.records, courier
        self._failures: dict[int, int] = {}
        courier.subscriptions = self
        account.records.listeners.append(self._announce)

    def handshake(self, callback: Record) -> None:
        """Send the verifier, which has to come back before anything else is sent."""
        form = {"name": "callback.verify", "object_id": str(callback["callbackid"]), "account_id": ACCOUNT_ID}
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
            token = VIA.set("control")  # no caller of the API asked for it
            self._records.commit("update", "callback", hook_id, {**callback, "verified": False})
            VIA.reset(token)

    def _announce(self, operation: str, kind: str, before: Record | None, record: Record) -> None:
        if kind != "client":
            return
        gone = record["vis_state"] == DELETED and before is not None and before["vis_state"] != DELETED
        name = f"client.{'delete' if gone else operation}"
        for callback in self._records.all("callback"):
            if callback["verified"] and callback["event"] in {name, "client"}:
                self._courier.dispatch(self._parcel(callback, _form(name, record["id"])))

    def _parcel(self, callback: Record, form: dict[str, str]) -> Parcel:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if self._account.settings.hooks.signed:
            headers["X-FreshBooks-Hmac-SHA256"] = signature(callback["verifier"], form)
        return Parcel(callback["callbackid"], callback["uri"], form["name"], urlencode(form).encode(), headers)


def signature(verifier: str, form: dict[str, str]) -> str:
    """Return the signature over a form: HMAC-SHA256 of its JSON text in the order of its fields, in base64."""
    text = json.dumps(form)
    return base64.b64encode(hmac.new(verifier.encode(), text.encode(), hashlib.sha256).digest()).decode()


def _form(name: str, object_id: int) -> dict[str, str]:
    return {
        "name": name,
        "object_id": str(object_id),
        "account_id": ACCOUNT_ID,
        "business_id": str(BUSINESS_ID),
        "identity_id": str(IDENTITY_ID),
        "user_id": "1",
    }
