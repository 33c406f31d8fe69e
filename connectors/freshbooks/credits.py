"""The credit notes of one FreshBooks account. Source: https://www.freshbooks.com/api/parameters"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from connectors.answers import Page
from connectors.freshbooks.document_models import LineDraft
from connectors.freshbooks.documents import written
from connectors.freshbooks.payment_models import Credit
from connectors.freshbooks.reading import LARGEST_PAGE, paging
from connectors.freshbooks.resource import Account, Resource, searching


class CreditApi:
    """Credit notes. A method is one request. Never retries; raises `connectors.errors`. Lines come with every note."""

    def __init__(self, account: Account) -> None:
        self._credits = Resource(
            account, "credit_notes/credit_notes", "credit_note", "credit_notes", Credit, include=("lines",)
        )

    async def get(self, credit_id: int) -> Credit:
        """Return a credit note, deleted ones (`vis_state` 1) too. Raises NotFound, also for a wrong account id."""
        return await self._credits.get(credit_id)

    async def list_page(
        self,
        *,
        page: int,
        per_page: int = LARGEST_PAGE,
        client_id: int | None = None,
        date_min: date | None = None,
        date_max: date | None = None,
        vis_state: int | None = None,
    ) -> Page[Credit]:
        """Return one page of credit notes that are as asked for; without `vis_state` the deleted ones are missing.

        `date_min` and `date_max` are days of the business, both included. There is no filter by change: list them all,
        or by date. Every hit is checked again, so go on while `has_more`, and remove duplicates by id.
        """
        search = {"clientid": client_id, "date_min": date_min, "date_max": date_max, "vis_state": vis_state}
        query = [*searching(search), *paging(page, per_page)]
        found = await self._credits.page(f"list credit notes, page {page}", query)
        fitting = [
            each
            for each in found.items
            if (client_id is None or each.clientid == client_id)
            and (vis_state is None or each.vis_state == vis_state)
            and (date_min is None or each.create_date is None or each.create_date >= date_min)
            and (date_max is None or each.create_date is None or each.create_date <= date_max)
        ]
        return Page(fitting, found.has_more)

    async def create(self, client_id: int, day: date, lines: Sequence[LineDraft], values: Mapping[str, Any]) -> Credit:
        """Create a credit note for a client and return it. Raises UnknownOutcome if that may or may not have happened.

        Say `credit_type` in the values: `goodwill` or `prepayment`; FreshBooks itself makes `overpayment`.
        """
        rows = [line.document() for line in lines]
        return await self._credits.create(
            {**written(values), "clientid": client_id, "create_date": day.isoformat(), "lines": rows}
        )

    async def set_visibility(self, credit_id: int, vis_state: int) -> Credit:
        """Make a credit note active (0), deleted (1) or archived (2), and return it.

        Source: https://www.freshbooks.com/api/active_deleted
        """
        return await self._credits.set_visibility(credit_id, vis_state)
