"""A firm whose CRM is Zoho's: what tests see and change of its contacts and accounts, as its people do."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connectors.http import fixed_token
from connectors.zoho_crm.api import ZohoCrmApi
from connectors.zoho_crm.models import Outcome, Saved
from store.store import Store
from tests.sandboxes import NUMBERS, ZOHO_CRM, Firm, open_firm

CONTACTS, ACCOUNTS = "Contacts", "Accounts"
REFERENCE = "Ledgerline Reference"


class ZohoPeople:
    """The people who work with a firm's Zoho CRM."""

    def __init__(self, firm: Firm) -> None:
        self.firm = firm
        self.api = ZohoCrmApi(firm.http, fixed_token(firm.connection.crm_account.token), ZOHO_CRM)

    async def make_reference_field(self) -> None:
        """Make the field that carries our reference, as `ledgerline connect` does."""
        for module in (CONTACTS, ACCOUNTS):
            field = {"field_label": REFERENCE, "data_type": "text", "length": 120, "unique": {"casesensitive": False}}
            await self.api.create_field(module, {"fields": [field]})

    async def enter(self, module: str, **values: Any) -> int:
        """Enter a record, and return its id."""
        return _saved(await self.api.insert(module, [values]))

    async def change(self, module: str, record_id: int, **values: Any) -> None:
        """Change a record."""
        _saved(await self.api.update(module, [{"id": str(record_id), **values}]))

    async def delete(self, module: str, record_id: int) -> None:
        """Put a record into the recycle bin."""
        await self.api.delete(module, [str(record_id)])

    async def record(self, module: str, record_id: int) -> dict[str, Any]:
        """Return a record as Zoho shows it."""
        return dict((await self.api.get_record(module, str(record_id))).values)

    async def all(self, module: str) -> list[dict[str, Any]]:
        """Return every record of a module with the fields that tests ask about."""
        fields = ["First_Name", "Last_Name", "Email"] if module == CONTACTS else ["Account_Name"]
        return [dict(each.values) for each in (await self.api.list_records(module, fields)).items]


def _saved(outcomes: list[Outcome]) -> int:
    (outcome,) = outcomes
    assert isinstance(outcome, Saved), outcome
    return int(outcome.id)


@pytest.fixture
async def zoho_firm(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Firm]:
    """Give a firm with Zoho CRM, empty on both sides, whose changes go both ways."""
    name = f"firm-{next(NUMBERS)}"
    async with open_firm(sqlite_store, tmp_path, name, crm="zoho_crm", direction="both") as opened:
        await ZohoPeople(opened).make_reference_field()
        yield opened
