"""Tags on records: named by whoever writes a record, made when they are new.

Source: https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html
"""

from typing import Any

from sandbox.ledger import Record
from sandbox.zoho_crm.account import Account


def tags_of(account: Account, value: Any) -> list[Record] | None:
    """Return the tags that `[{"name": "…"}]` names, or None if it does not name tags."""
    if not isinstance(value, list):
        return None
    names = [each.get("name") if isinstance(each, dict) else None for each in value]
    if not all(isinstance(name, str) and name for name in names):
        return None
    return [_tag(account, name) for name in names if name]


def _tag(account: Account, name: str) -> Record:
    known = next((each for each in account.records.all("tag") if each["name"].casefold() == name.casefold()), None)
    if known is None:
        number = account.records.next_id("tag")
        known = {"id": str(number), "name": name, "color_code": None}
        account.records.commit("create", "tag", number, known)
    return known
