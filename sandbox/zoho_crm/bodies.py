"""The bodies of calls that write records.

Source: https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html
"""

from typing import Any

from sandbox.calls import Call
from sandbox.ledger import Record
from sandbox.zoho_crm.account import Account
from sandbox.zoho_crm.errors import refused

MOST = 100
TRIGGERS = {"approval", "workflow", "blueprint", "pathfinder", "orchestration"}


def object_in(call: Call) -> Record:
    """Return the JSON object in a body of any media type: the vendor's own client names none. Raises INVALID_DATA."""
    try:
        body = call.json()
    except ValueError as error:
        raise refused("INVALID_DATA", "body", expected_data_type="jsonobject") from error
    if not isinstance(body, dict):
        raise refused("INVALID_DATA", "body", expected_data_type="jsonobject")
    return body


def read(account: Account, call: Call) -> Record:
    """Return the body of a write, and count whether it lets workflows run: without `trigger` all do, with an empty one
    none. Raises INVALID_DATA.
    """
    body = object_in(call)
    trigger = body.get("trigger", list(TRIGGERS))
    if not isinstance(trigger, list) or not all(isinstance(each, str) and each in TRIGGERS for each in trigger):
        raise refused("INVALID_DATA", "invalid data", api_name="trigger", json_path="$.trigger")
    account.workflow_runs += bool(trigger)
    return body


def many_of(body: Record, key: str = "data", most: int = MOST) -> list[Any]:
    """Return what stands under the body's key. Raises MANDATORY_NOT_FOUND, INVALID_DATA or LIMIT_EXCEEDED."""
    where: Record = {"api_name": key, "json_path": f"$.{key}"}
    if key not in body:
        raise refused("MANDATORY_NOT_FOUND", "required field not found", **where)
    rows = body[key]
    if not isinstance(rows, list) or not rows:
        raise refused("INVALID_DATA", "invalid data", expected_data_type="jsonarray", **where)
    if len(rows) > most:
        raise refused("LIMIT_EXCEEDED", "the limit is exceeded", maximum_length=most, **where)
    return rows


def one_of(body: Record) -> list[Any]:
    """Return the one record of a body. Raises LIMIT_EXCEEDED for more."""
    return many_of(body, most=1)
