"""The payments of one FreshBooks account. Source: https://www.freshbooks.com/api/payments"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.answers import Page
from connectors.freshbooks.document_models import plain
from connectors.freshbooks.documents import written
from connectors.freshbooks.models import eastern_day
from connectors.freshbooks.payment_models import PAYMENT_TYPES, Payment
from connectors.freshbooks.reading import LARGEST_PAGE, mentions, paging
from connectors.freshbooks.resource import Account, Resource, searching


@dataclass(frozen=True)
class PaymentDraft:
    """A payment to be entered, in the currency of its invoice. `note` is where our reference goes.

    `creditid` pays from a credit note. Raises ValueError for an amount that is not above zero, and for a type that
    FreshBooks does not know.
    """

    invoiceid: int
    amount: Decimal
    currency: str
    day: date
    type: str = "Other"
    note: str = ""
    creditid: int | None = None
    send_client_notification: bool = False

    def __post_init__(self) -> None:
        if not self.amount.is_finite() or self.amount <= 0:
            raise ValueError(f"a payment of invoice {self.invoiceid} needs an amount above zero")
        if self.type not in PAYMENT_TYPES:
            raise ValueError(f"a payment of invoice {self.invoiceid} has a type that FreshBooks does not know")

    def document(self) -> dict[str, Any]:
        """Return the payment as FreshBooks takes it."""
        credit = {} if self.creditid is None else {"creditid": self.creditid, "from_credit": True}
        return {
            "invoiceid": self.invoiceid,
            "amount": {"amount": plain(self.amount), "code": self.currency},
            "date": self.day.isoformat(),
            "type": self.type,
            "note": self.note,
            "send_client_notification": self.send_client_notification,
            **credit,
        }


class PaymentApi:
    """Payments. A method is one request, except the two searches. Never retries; raises `connectors.errors`.

    It shares the caller, and every wait, of the account's FreshBooksApi.
    """

    def __init__(self, account: Account) -> None:
        self._payments = Resource(account, "payments/payments", "payment", "payments", Payment)

    async def get(self, payment_id: int) -> Payment:
        """Return a payment, deleted ones (`vis_state` 1) too. Raises NotFound, also for a wrong account id."""
        return await self._payments.get(payment_id)

    async def list_page(
        self,
        *,
        page: int,
        per_page: int = LARGEST_PAGE,
        updated_min: date | None = None,
        date_min: date | None = None,
        date_max: date | None = None,
        client_id: int | None = None,
        invoice_id: int | None = None,
        vis_state: int | None = None,
    ) -> Page[Payment]:
        """Return one page of payments that are as asked for; without `vis_state` the deleted ones are missing.

        `updated_min` is a day of the US Eastern calendar (see `eastern_day`); `date_min` and `date_max` are days of the
        business, both included. Every hit is checked again: go on while `has_more`, and remove duplicates by id, for
        no sort key of payments is documented. Source: https://www.freshbooks.com/api/parameters
        """
        days = searching({"updated_min": updated_min, "date_min": date_min, "date_max": date_max})
        keys = searching({"clientid": client_id, "invoiceid": invoice_id, "vis_state": vis_state})
        query = [*days, *keys, *paging(page, per_page)]
        found = await self._payments.page(f"list payments, page {page}", query)
        fitting = [
            each
            for each in found.items
            if (client_id is None or each.clientid in (None, client_id))
            and (invoice_id is None or each.invoiceid == invoice_id)
            and (vis_state is None or each.vis_state == vis_state)
            and (date_min is None or each.date is None or each.date >= date_min)
            and (date_max is None or each.date is None or each.date <= date_max)
            and (updated_min is None or each.updated is None or eastern_day(each.updated) >= updated_min)
        ]
        return Page(fitting, found.has_more)

    async def of_invoice(self, invoice_id: int, *, vis_state: int | None = None) -> list[Payment]:
        """Return the payments of an invoice that are not deleted, or those of one `vis_state`.

        Raises Refused if FreshBooks seems to ignore the filter.
        """
        also = searching({"vis_state": vis_state})
        return await self._payments.search(
            "invoiceid", str(invoice_id), lambda each: each.invoiceid == invoice_id, also=also
        )

    async def find_by_note(self, reference: str) -> list[Payment]:
        """Return the payments that are not deleted and whose note holds our reference as a word of its own.

        Raises Refused if FreshBooks seems to ignore the filter.
        """
        wanted = reference.strip()
        return await self._payments.search("notes", wanted, lambda each: mentions(each.note, wanted))

    async def create(self, draft: PaymentDraft) -> Payment:
        """Enter a payment and return it. Raises UnknownOutcome if that may or may not have happened.

        FreshBooks refuses no duplicate: look first, by `of_invoice` and `find_by_note`.
        """
        return await self._payments.create(draft.document())

    async def update(self, payment_id: int, values: Mapping[str, Any]) -> Payment:
        """Change the fields given, leave the rest, and return the payment as it is then: compare it with what you sent.

        Raises ValueError for `vis_state` and actions.
        """
        return await self._payments.update(payment_id, written(values))

    async def set_visibility(self, payment_id: int, vis_state: int) -> Payment:
        """Make a payment active (0), deleted (1) or archived (2), and return it. A deletion reopens the invoice.

        Source: https://www.freshbooks.com/api/active_deleted
        """
        return await self._payments.set_visibility(payment_id, vis_state)
