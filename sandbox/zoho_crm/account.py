"""The Zoho CRM account: its records, its clock, and the short forms in which records name each other."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.calls import Call, Refusal, id_of
from sandbox.clock import from_zulu, told
from sandbox.ledger import Record
from sandbox.past import Lag
from sandbox.records import Records
from sandbox.settings import ZohoCrmSettings, bounds
from sandbox.tokens import Tokens
from sandbox.zoho_crm.errors import error
from sandbox.zoho_crm.index import Index
from sandbox.zoho_crm.modules import MODULES, Schema

API = "/crm/v8"
ORGANISATION_ID, ZGID = 4_876_876_000_000_000_123, "600012345"
SYNC_USER, PERSON, GONE_USER = 4_876_876_000_000_225_001, 4_876_876_000_000_225_002, 4_876_876_000_000_225_003


class Account:
    """What all operations on the account share. Records are stored with ids of other records and of users in place of
    the short forms that the API shows, and with instants in UTC.
    """

    def __init__(self, records: Records, tokens: Tokens, settings: ZohoCrmSettings, seed: int) -> None:
        self.records, self.tokens, self.settings, self.seed = records, tokens, settings, seed
        self.schema = Schema(records, settings)
        self.index = Index(records)
        self.workflow_runs = 0
        """How many writes let the account's workflows run, because their `trigger` did not say otherwise."""

    def get(self, module: str, record_id: Any) -> Record | None:
        """Return a record as stored, or None."""
        return self.records.get(module, number_of(record_id))

    def listed(self, module: str, way: str, among: Iterable[int] | None = None) -> list[Record]:
        """Return the records that a look by `list` or `search` shows, by id. With `among` those, and some that may not
        belong to it any more: each must be looked at again.
        """
        return self.records.listed(module, self.lag_of(way), among)

    def lag_of(self, way: str) -> Lag:
        """Return by how much a look lags behind. A list does so only where it is told to by its own name."""
        knobs = self.settings
        if way == "list":
            return Lag(bounds(knobs.lags.get("list", 0)))
        return Lag(knobs.lag_of({way}), bounds(knobs.update_lag))

    def now(self) -> datetime:
        """Return the present instant by the account's clock."""
        return told(self.settings.clock_skew)

    def stamp(self) -> str:
        """Return the present instant as it is stored: such texts sort by time."""
        return stamp_of(self.now())

    def shown(self, stamp: str | None) -> str | None:
        """Return a stored instant as Zoho writes it: whole seconds, with the offset of the organisation."""
        if stamp is None:
            return None
        return from_zulu(stamp).astimezone(ZoneInfo(self.settings.time_zone)).isoformat(timespec="seconds")

    def user_short(self, user_id: Any) -> Record | None:
        """Return the short form of a user, or None."""
        user = self.records.get("user", number_of(user_id))
        return {"name": user["full_name"], "id": user["id"]} if user else None

    def record_short(self, module: str, record_id: Any) -> Record | None:
        """Return the short form of a record with its present name, or None if it is gone."""
        record = self.get(module, record_id)
        return {"name": name_of(module, record), "id": record["id"]} if record else None

    def module_in(self, call: Call) -> str:
        """Return the module in the path. Raises INVALID_MODULE."""
        name = call.params["module"]
        if name not in MODULES:
            body = error("INVALID_MODULE", "the module name given seems to be invalid", resource_path_index=0)
            wrapped = self.settings.wrapped_refusals and call.method != "GET"
            raise Refusal(400, {"data": [body]} if wrapped else body)
        return name


def name_of(module: str, record: Record) -> str:
    """Return what a record is called in a lookup."""
    name = MODULES[module].name
    return full_name(record) if name == "Full_Name" else str(record.get(name) or "")


def full_name(record: Record) -> str:
    """Return the full name of a person."""
    return " ".join(each for each in (record.get("First_Name"), record.get("Last_Name")) if each)


def number_of(value: Any) -> int:
    """Return the number of an id, or 0, which nothing has."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return id_of(value) if isinstance(value, str) else 0


def stamp_of(instant: datetime) -> str:
    """Return an instant as it is stored."""
    return instant.astimezone(ZoneInfo("UTC")).isoformat(timespec="seconds")
