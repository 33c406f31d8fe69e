"""Notifications as Zoho CRM sends them: JSON, unsigned, for one module and one kind of change at a time.

Source: https://www.zoho.com/crm/developer/docs/api/v8/notifications/overview.html
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.clock import from_zulu
from sandbox.courier import Courier, Forgery, Parcel
from sandbox.ledger import Record, by_control
from sandbox.zoho_crm.account import API, Account
from sandbox.zoho_crm.modules import MODULES
from sandbox.zoho_crm.render import view

HEADERS = {"Content-Type": "application/json;charset=UTF-8"}
VERBS = {"create": "create", "update": "edit", "restore": "edit", "delete": "delete"}
OPERATIONS = {"create": "insert", "edit": "update", "delete": "delete"}
PAUSES = (60.0, 300.0, 1800.0, 7200.0, 36_000.0)
"""Seconds between the attempts of a delivery, where the settings let a failed one be tried again at all."""

UNTOLD = {"Modified_By", "Modified_Time", "Created_By", "Created_Time"}
"""Fields that no list of changed ones names."""

Changes = dict[str, list[str]]
"""Ids of records, and the names of the fields that changed in each."""


class Notices:
    """Turns writes into deliveries to the channels that hear of them, for as long as they last."""

    def __init__(self, account: Account, courier: Courier) -> None:
        self._account, self._records, self._courier = account, account.records, courier
        self._gathered: dict[str, Changes] | None = None
        courier.subscriptions = self
        account.records.listeners.append(self._announce)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Tell what is written inside in one delivery for each module and kind of change, at the end."""
        self._gathered = {}
        try:
            yield
        finally:
            gathered, self._gathered = self._gathered or {}, None
            for event, changes in gathered.items():
                self._tell(event, changes)

    def is_live(self, hook_id: int) -> bool:
        """Return whether the channel still exists and has not expired."""
        channel = self._records.get("channel", hook_id)
        return channel is not None and self.lasts(channel)

    def lasts(self, channel: Record) -> bool:
        """Return whether a channel has not expired."""
        return from_zulu(channel["channel_expiry"]) > self._account.now()

    def delivered(self, hook_id: int) -> None:
        """Nothing changes: Zoho keeps no score that is known of."""

    def refused(self, hook_id: int, status: int) -> None:
        """Nothing changes."""

    def gave_up(self, hook_id: int) -> None:
        """Nothing changes: what was not heard is lost, the channel stays."""

    def disable(self, hook_id: int) -> None:
        """Drop a channel, without a caller of the API who asked for it."""
        channel = self._records.get("channel", hook_id)
        if channel:
            with by_control():
                self._records.commit("delete", "channel", hook_id, channel)

    def forged(self, forgery: Forgery) -> list[Parcel]:
        """Return a lie for each channel of its event (`Contacts.edit`), with a token that was not agreed on."""
        event = forgery.event
        channels = [each for each in self._records.all("channel") if _hears(each, event) and self.lasts(each)]
        if forgery.target is not None:
            channels = [{"id": "0", "notify_url": forgery.target, "channel_id": "1", "base_url": "", "token": ""}]
        parcels = []
        for channel in channels:
            body = self._body({**channel, "token": forgery.key}, event, [str(forgery.id)]) | forgery.fields
            parcels.append(_parcel(channel, event, body))
        return parcels

    def _announce(self, operation: str, kind: str, before: Record | None, record: Record) -> None:
        if kind not in MODULES or (operation == "delete" and before is None):
            return  # what leaves the recycle bin was deleted before
        event = f"{kind}.{VERBS[operation]}"
        changed = _changed(before or {}, record) if operation == "update" else []
        if self._gathered is None:
            self._tell(event, {record["id"]: changed})
        else:
            known = self._gathered.setdefault(event, {}).setdefault(record["id"], [])
            known += [name for name in changed if name not in known]

    def _tell(self, event: str, changes: Changes) -> None:
        for channel in self._records.all("channel"):
            if _hears(channel, event) and self.lasts(channel):
                body = self._body(channel, event, list(changes))
                if event.endswith(".edit"):
                    body["affected_fields"] = [{record_id: names} for record_id, names in changes.items()]
                if channel["return_affected_field_values"] and not event.endswith(".delete"):
                    body["affected_values"] = self._values(event.partition(".")[0], changes)
                self._courier.dispatch(_parcel(channel, event, body))

    def _values(self, module: str, changes: Changes) -> list[Record]:
        found = []
        for record_id, names in changes.items():
            record = self._account.get(module, record_id)
            if record:
                shown = view(self._account, module, record, names or [name for name in record if name not in UNTOLD])
                values = {name: value for name, value in shown.items() if name != "id"}
                found.append({"record_id": record_id, "values": values})
        return found

    def _body(self, channel: Record, event: str, ids: list[str]) -> Record:
        module, _, verb = event.partition(".")
        body: dict[str, Any] = {
            "server_time": int(self._account.now().timestamp() * 1000),
            "query_params": {},
            "module": module,
            "resource_uri": f"{channel['base_url']}{API}/{module}",
            "ids": ids,
            "operation": OPERATIONS.get(verb, verb),
            "channel_id": channel["channel_id"],
            "token": channel["token"],
        }
        return body


def _parcel(channel: Record, event: str, body: Record) -> Parcel:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Parcel(int(channel["id"]), channel["notify_url"], event, content, HEADERS)


def _hears(channel: Record, event: str) -> bool:
    module = event.partition(".")[0]
    return event in channel["events"] or f"{module}.all" in channel["events"]


def _changed(before: Record, after: Record) -> list[str]:
    names = sorted(before.keys() | after.keys())
    return [name for name in names if name not in UNTOLD and before.get(name) != after.get(name)]
