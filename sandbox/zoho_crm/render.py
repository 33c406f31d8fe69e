"""Records as Zoho CRM shows them.

Source: https://www.zoho.com/crm/developer/docs/api/v8/get-records.html
"""

from collections.abc import Collection
from typing import Any

from sandbox.ledger import Record
from sandbox.zoho_crm.account import Account, full_name, number_of
from sandbox.zoho_crm.fields import HOME_CURRENCY, SYMBOLS, Field

ALWAYS = {
    "$currency_symbol": SYMBOLS[HOME_CURRENCY],
    "$field_states": None,
    "$state": "save",
    "$process_flow": False,
    "$approved": True,
    "$approval": {"delegate": False, "approve": False, "reject": False, "resubmit": False},
    "$editable": True,
    "$review_process": None,
    "$review": None,
    "$orchestration": None,
    "$in_merge": False,
    "$approval_state": "approved",
    "$pathfinder": None,
    "Record_Image": None,
}
MONEY = {"Currency": HOME_CURRENCY, "Exchange_Rate": 1.0}
"""What a deal shows that was made before the account had several currencies."""


def full_view(account: Account, module: str, record: Record) -> Record:
    """Return everything that a record shows by itself: every field, empty ones as null, and the keys of the system."""
    names = [*account.schema.fields(module), *ALWAYS]
    return view(account, module, record, [*names, *(("$converted", "$converted_detail") if module == "Leads" else ())])


def view(account: Account, module: str, record: Record, names: Collection[str]) -> Record:
    """Return the id and the fields that were asked for; names that the module does not have are passed over."""
    found: Record = {"id": record["id"]}
    for name in names:
        if name.startswith("$converted") and module == "Leads":
            found[name] = record.get(name, False if name == "$converted" else {})
        elif name == "$currency_symbol" and account.settings.multi_currency:
            currency = record.get("Currency", HOME_CURRENCY)
            found[name] = SYMBOLS.get(currency, currency)
        elif name in ALWAYS:
            found[name] = ALWAYS[name]
        elif (field := account.schema.get(module, name)) is not None:
            found[name] = shown(account, field, record)
    return found


def shown(account: Account, field: Field, record: Record) -> Any:
    """Return one value of a record as it is shown."""
    value = record.get(field.api_name, None if field.custom else MONEY.get(field.api_name))
    if field.api_name == "Full_Name":
        return full_name(record)
    if field.lookup:
        return account.record_short(field.lookup, value)
    if field.data_type == "ownerlookup":
        return user_view(account, value, with_email=field.api_name == "Owner")
    if field.data_type == "datetime":
        return account.shown(value)
    if field.data_type in {"tags", "multiselectpicklist"}:
        return value or []
    return value if value is not None or field.data_type != "boolean" else False


def user_view(account: Account, user_id: Any, *, with_email: bool) -> Record | None:
    """Return a user as records show it."""
    short = account.user_short(user_id)
    user = account.records.get("user", number_of(user_id))
    return {**short, "email": user["email"]} if short and user and with_email else short
