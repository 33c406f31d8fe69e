"""The calls that list and get records.

Source: https://www.zoho.com/crm/developer/docs/api/v8/get-records.html, /get-deleted-records.html
"""

from datetime import datetime

from starlette.responses import Response

from sandbox.calls import Call
from sandbox.clock import from_zulu
from sandbox.ledger import Record
from sandbox.remembered import Remembered
from sandbox.zoho_crm.account import Account, name_of, number_of, stamp_of
from sandbox.zoho_crm.errors import bad_parameter, missing_parameter, nothing, refused, said
from sandbox.zoho_crm.modules import MODULES
from sandbox.zoho_crm.pages import Order, Pager, plain_page
from sandbox.zoho_crm.render import full_view, view

MOST_FIELDS, MOST_IDS = 50, 100
TYPES = ("all", "recycle", "permanent")


class Reads:
    """Lists, single records and what was deleted. What finds nothing answers 204 without a body."""

    def __init__(self, account: Account) -> None:
        self._account, self._pager = account, Pager(account)
        self._remembered = {name: Remembered(account.records, name) for name in MODULES}

    def index(self, call: Call) -> Response:
        """A page of records with the fields that were asked for; 304 if none changed after `If-Modified-Since`."""
        module, order = self._account.module_in(call), Order.read(call)
        if "cvid" in call.query and "sort_by" in call.query:
            both = [{"param_name": name} for name in ("cvid", "sort_by")]
            raise refused(
                "AMBIGUITY_DURING_PROCESSING", "ambiguity while processing the request", ambiguity_due_to=both
            )
        names, since = fields_in(call), modified_since(call)
        rows = self._rows(call, module, order, since)
        page = self._pager.page(call, rows, order)
        if not page.rows:
            return nothing(304 if since else 204)
        return said({"data": [view(self._account, module, each, names) for each in page.rows], "info": page.info})

    def get(self, call: Call) -> Response:
        """One record with all its fields, or those that were asked for."""
        module = self._account.module_in(call)
        if number_of(call.params["id"]) == 0:
            raise refused("INVALID_DATA", "the id given seems to be invalid", resource_path_index=1)
        record = self._account.get(module, call.params["id"])
        if record is None:
            return nothing()
        if "fields" in call.query:
            return said({"data": [view(self._account, module, record, fields_in(call))]})
        return said({"data": [full_view(self._account, module, record)]})

    def deleted(self, call: Call) -> Response:
        """What was deleted, latest first: in the recycle bin, or for good."""
        module, wanted = self._account.module_in(call), call.query.get("type", "all")
        if wanted not in TYPES:
            raise bad_parameter("type", supported_values=list(TYPES))
        since = modified_since(call)
        gone = [self._grave(module, each) for each in self._account.records.graves[module].values()]
        rows = [
            (at, row) for at, row in gone if wanted in {"all", row["type"]} and (since is None or from_zulu(at) > since)
        ]
        if not rows:
            return nothing(self._account.settings.nothing_deleted if since else 204)
        rows.sort(key=lambda each: (each[0], each[1]["id"]), reverse=True)
        return said(plain_page(call, rows, lambda each: each[1]))

    def _rows(self, call: Call, module: str, order: Order, since: datetime | None) -> list[Record]:
        converted, ids = call.query.get("converted", "false"), call.query.get("ids")
        if ids is not None:
            found = [self._account.get(module, each) for each in _ids(ids)]
            return sorted((each for each in found if each), key=order.key)

        def look() -> list[Record]:
            rows = [each for each in self._account.listed(module, "list") if is_listed(each, converted)]
            bound = stamp_of(since) if since else ""
            return sorted((each for each in rows if each["Modified_Time"] > bound), key=order.key)

        if self._account.lag_of("list").longest:
            return look()
        return self._remembered[module].get((order.by, converted, since), look)

    def _grave(self, module: str, grave: Record) -> tuple[str, Record]:
        """Return when a record was deleted and how that is told. Of what is gone for good nobody is named."""
        account, for_good = self._account, bool(grave.get("$purged"))
        row = {
            "id": grave["id"],
            "display_name": None if for_good else name_of(module, grave),
            "type": "permanent" if for_good else "recycle",
            "deleted_time": account.shown(grave["$deleted_time"]),
            "deleted_by": None if for_good else account.user_short(grave["$deleted_by"]),
            "created_by": None if for_good else account.user_short(grave["Created_By"]),
        }
        return grave["$deleted_time"], row


def is_listed(record: Record, converted: str) -> bool:
    """Return whether lists and searches show a record: a converted lead only to whoever asks for it."""
    return converted == "both" or bool(record.get("$converted")) == (converted == "true")


def fields_in(call: Call) -> list[str]:
    """Return the fields that a call asks for. Raises REQUIRED_PARAM_MISSING or LIMIT_EXCEEDED."""
    names = [each.strip() for each in call.query.get("fields", "").split(",") if each.strip()]
    if not names:
        raise missing_parameter("fields")
    if len(names) > MOST_FIELDS:
        raise refused("LIMIT_EXCEEDED", "the limit is exceeded", limit=MOST_FIELDS, param_name="fields")
    return names


def modified_since(call: Call) -> datetime | None:
    """Return the instant in `If-Modified-Since`. Raises INVALID_DATA."""
    text = call.headers.get("if-modified-since")
    try:
        return None if text is None else from_zulu(text)
    except ValueError as error:
        raise bad_parameter("If-Modified-Since", expected_data_type="datetime") from error


def _ids(text: str) -> list[str]:
    ids = [each.strip() for each in text.split(",") if each.strip()]
    if len(ids) > MOST_IDS:
        raise refused("LIMIT_EXCEEDED", "the limit is exceeded", limit=MOST_IDS, param_name="ids")
    return ids
