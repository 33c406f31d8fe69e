"""What is shown of a project where FreshBooks' own sum is taken for what is billed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from activities.project_books import BilledRules, ProjectBooks
from connectors.errors import Refused
from connectors.freshbooks.documents import FreshBooksDocuments
from connectors.freshbooks.hours import Hours
from store.store import Store
from tests.sandboxes import FRESHBOOKS, NUMBERS, open_firm
from tests.timesheets import Timesheet, bills_hours, make_service


@pytest.fixture
async def timesheet(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Timesheet]:
    """A firm that logs its hours; nothing runs but what a test calls."""
    async with open_firm(sqlite_store, tmp_path, f"firm-{next(NUMBERS)}") as firm:
        bills_hours(firm)
        yield Timesheet(firm, await make_service(firm))


async def shown(timesheet: Timesheet, billed: str) -> dict[str, str]:
    """Return what is shown as billed of a project of a client in yen of which FreshBooks says this sum."""
    firm = timesheet.firm
    project = await timesheet.new_project(await firm.new_client(organization="Hoshi KK", currency_code="JPY"))
    url = f"{FRESHBOOKS}/_sandbox/records/project/{project}"
    (await firm.http.post(url, json={"billed_amount": billed})).raise_for_status()
    freshbooks = firm.freshbooks_api()
    hours, invoices = Hours(freshbooks), FreshBooksDocuments(freshbooks.account).invoices
    books = ProjectBooks(hours, freshbooks, invoices, firm.store, BilledRules("freshbooks"))
    return (await books.facts(firm.name, await hours.project(project))).billed


async def test_freshbooks_own_sum_is_in_the_currency_of_the_client(timesheet: Timesheet) -> None:
    """S3, F26: FreshBooks names no currency with it, and nothing is converted."""
    assert await shown(timesheet, "12500") == {"JPY": "12500"}


async def test_a_sum_that_is_no_money_of_that_currency_names_the_project(timesheet: Timesheet) -> None:
    """F25: there is no half yen."""
    with pytest.raises(Refused, match=r"the amount billed of project \d+ is no money"):
        await shown(timesheet, "12500.50")
