"""What the Zoho CRM account has from the start."""

from typing import Any

from sandbox.ledger import Record
from sandbox.zoho_crm.account import GONE_USER, PERSON, SYNC_USER, Account
from sandbox.zoho_crm.generator import fill_with_records
from sandbox.zoho_crm.modules import FIRST_CUSTOM_FIELD, MODULES
from sandbox.zoho_crm.notes import FIRST_NOTE, KIND
from sandbox.zoho_crm.oauth import READ_SCOPES, SCOPES
from sandbox.zoho_crm.pipelines import seed_pipelines

FIRST_TAG, FIRST_CHANNEL = 4_876_876_000_000_700_001, 1


def _user(number: int, names: tuple[str, str], profile: str, **more: Any) -> Record:
    first, last = names
    return {
        "id": str(number),
        "full_name": f"{first} {last}",
        "first_name": first,
        "last_name": last,
        "email": f"{first}.{last}@sandbox.example".lower(),
        "status": "active",
        "confirm": True,
        "role": {"name": "CEO", "id": "4876876000000026005"},
        "profile": {"name": profile, "id": "4876876000000026011"},
        "zuid": str(number % 1_000_000_000),
        "time_zone": "Europe/Berlin",
        "locale": "en_GB",
        "country_locale": "de_DE",
        "date_format": "dd/MM/yyyy",
        "Modified_Time": "2024-01-02T10:00:00+01:00",
        "created_time": "2024-01-02T10:00:00+01:00",
        **more,
    }


USERS = (
    _user(SYNC_USER, ("Sync", "Bot"), "Administrator"),
    _user(PERSON, ("Nora", "Lindqvist"), "Standard"),
    _user(GONE_USER, ("Piet", "Verhoeven"), "Standard", status="deleted"),
)


def seed_account(account: Account, client_id: str, seed: int, count: int) -> None:
    """Fill an empty account: tokens 1 (application) and 2 (read-only), users, and so many records."""
    records = account.records
    for module in MODULES.values():
        records.start_ids(module.api_name, module.first_id)
    for kind, first in {
        "field": FIRST_CUSTOM_FIELD,
        "tag": FIRST_TAG,
        "channel": FIRST_CHANNEL,
        KIND: FIRST_NOTE,
    }.items():
        records.start_ids(kind, first)
    seed_pipelines(account)
    account.workflow_runs = 0
    account.tokens.seed(" ".join(SCOPES), client_id=client_id, user_id=SYNC_USER, role="Administrator")
    account.tokens.seed(" ".join(READ_SCOPES), client_id=None, user_id=SYNC_USER, role="Administrator")
    for user in USERS:
        records.seed("user", int(user["id"]), user)
    fill_with_records(account, seed, count)
