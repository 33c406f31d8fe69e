"""The estimates and invoices of one FreshBooks account, its items, taxes and staff."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Generic, TypeVar

from connectors.answers import Page
from connectors.errors import Refused
from connectors.freshbooks.document_models import (
    Document,
    Estimate,
    Invoice,
    Item,
    LineDraft,
    StaffMember,
    Tax,
    TeamMember,
    plain,
)
from connectors.freshbooks.models import eastern_day
from connectors.freshbooks.problems import DIALECT, NumberTaken, TakenNumber
from connectors.freshbooks.reading import LARGEST_PAGE, paging, team_page
from connectors.freshbooks.resource import Account, Resource, searching
from connectors.http import Request

D = TypeVar("D", bound=Document)


@dataclass(frozen=True)
class Email:
    """What a document is sent with. Without recipients it goes to its client; without words, with FreshBooks' own."""

    recipients: Sequence[str] = ()
    subject: str = ""
    body: str = ""


class DocumentApi(Generic[D]):
    """Estimates, or invoices. A method is one request, except the search by number. Lines come with every document.

    Values are in FreshBooks' own words; Decimals and dates are written as it takes them.
    """

    def __init__(self, resource: Resource[D]) -> None:
        self._resource, self._name = resource, resource.name

    async def get(self, document_id: int) -> D:
        """Return a document, deleted ones (`vis_state` 1) too. Raises NotFound, also for a wrong account id."""
        return await self._resource.get(document_id)

    async def list_page(
        self,
        *,
        page: int,
        per_page: int = LARGEST_PAGE,
        updated_min: date | None = None,
        number: str | None = None,
        client_id: int | None = None,
        vis_state: int | None = None,
    ) -> Page[D]:
        """Return one page of active and archived documents, or of those of one `vis_state`, that are as asked for.

        `updated_min` is a day of the US Eastern calendar (see `eastern_day`). Every hit is checked again: a filter that
        FreshBooks ignores leaves pages with few records or none, so go on while `has_more`. The order can change from
        page to page: remove duplicates by id. Source: https://www.freshbooks.com/api/parameters
        """
        search = {"updated_min": updated_min, self._number_key: number, "customerid": client_id}
        query = [*searching({**search, "vis_state": vis_state}), *paging(page, per_page)]
        found = await self._resource.page(f"list {self._resource.plural}, page {page}", query)
        fitting = [
            each
            for each in found.items
            if (number is None or each.number == number)
            and (client_id is None or each.customerid == client_id)
            and (vis_state is None or each.vis_state == vis_state)
            and (updated_min is None or each.updated is None or eastern_day(each.updated) >= updated_min)
        ]
        return Page(fitting, found.has_more)

    async def find_by_number(self, number: str, *, vis_state: int | None = None) -> list[D]:
        """Return the active and archived documents with exactly this number, or those of one `vis_state`.

        A deleted one may still keep its number: look with `vis_state` 1 too. Raises Refused if FreshBooks seems to
        ignore the filter.
        """
        wanted, also = number.strip(), searching({"vis_state": vis_state})
        return await self._resource.search(self._number_key, wanted, lambda each: each.number == wanted, also=also)

    async def create(self, values: Mapping[str, Any], lines: Sequence[LineDraft]) -> D:
        """Create a document and return it. Raises UnknownOutcome if that may or may not have happened.

        `customerid` and `create_date` are required. Choose the number: without one FreshBooks counts on from the last.
        Raises NumberTaken if another document has it; for estimates nobody says that FreshBooks minds.
        """
        draft = {**written(values), "lines": [line.document() for line in lines]}
        try:
            return await self._resource.create(draft)
        except Refused as error:
            raise self._explained(error, "create it") from None

    async def update(self, document_id: int, values: Mapping[str, Any]) -> D:
        """Change the fields given, leave the rest, and return the document as it is then: compare it with what you
        sent, for FreshBooks was seen to answer 200 without a change.

        Raises ValueError for `vis_state`, actions and `lines`, and NumberTaken.
        """
        if "lines" in values:
            raise ValueError(f"{self._name} {document_id}: lines are replaced as a whole, by `replace_lines`")
        return await self._changed(document_id, written(values))

    async def replace_lines(self, document_id: int, lines: Sequence[LineDraft], values: Mapping[str, Any]) -> D:
        """Put these lines in the place of all there are, change further fields with them, and return the document.

        Raises ValueError for `vis_state` and actions, and NumberTaken.
        """
        return await self._changed(document_id, {**written(values), "lines": [line.document() for line in lines]})

    async def set_visibility(self, document_id: int, vis_state: int) -> D:
        """Make a document active (0), deleted (1) or archived (2), and return it.

        Source: https://www.freshbooks.com/api/active_deleted
        """
        return await self._resource.set_visibility(document_id, vis_state)

    async def send_by_email(self, document_id: int, email: Email) -> D:
        """Send a document by email and return it. It is then sent, unless it had come further.

        Raises UnknownOutcome on a lost answer: to repeat this could send a second email.
        """
        body: dict[str, Any] = {"action_email": True}
        if email.recipients:
            body["email_recipients"] = list(email.recipients)
        words = {key: text for key, text in (("subject", email.subject), ("body", email.body)) if text}
        if words:
            body[f"{self._name}_customized_email"] = words
        doing = f"send {self._name} {document_id} by email"
        return await self._resource.put(doing, document_id, body, repeatable=False)

    async def _act(self, doing: str, document_id: int, action: str) -> D:
        """Do an action, alone in its body: FreshBooks drops every other field beside it."""
        return await self._resource.put(doing, document_id, {action: True})

    async def _changed(self, document_id: int, values: Mapping[str, Any]) -> D:
        try:
            return await self._resource.update(document_id, values)
        except Refused as error:
            raise self._explained(error, f"change {self._name} {document_id}") from None

    def _explained(self, error: Refused, doing: str) -> Refused:
        if not any(isinstance(each, TakenNumber) for each in error.problems):
            return error
        text = f"FreshBooks did not {doing}: another {self._name}, perhaps a deleted one, has this number"
        return NumberTaken(DIALECT.system, f"{text}: look who has it", error.problems)

    @property
    def _number_key(self) -> str:
        return f"{self._name}_number"


class EstimateApi(DocumentApi[Estimate]):
    """Estimates. They can be accepted; nothing declines them. Source: https://www.freshbooks.com/api/estimates"""

    async def accept(self, estimate_id: int) -> Estimate:
        """Accept an estimate on behalf of its client and return it: believe `accepted`, not the status."""
        return await self._act(f"accept estimate {estimate_id}", estimate_id, "action_accept")


class InvoiceApi(DocumentApi[Invoice]):
    """Invoices. One made with `estimateid` marks that estimate as invoiced; its lines have to be sent all the same.

    Source: https://www.freshbooks.com/api/invoices
    """

    async def mark_as_sent(self, invoice_id: int) -> Invoice:
        """Make a draft final without sending it, and return it."""
        return await self._act(f"mark invoice {invoice_id} as sent", invoice_id, "action_mark_as_sent")


class FreshBooksDocuments:
    """What an account has beside its clients. It shares the caller, and every wait, of the account's FreshBooksApi.

    Never retries. Raises the errors of `connectors.errors`.
    """

    def __init__(self, account: Account) -> None:
        lines = ("lines",)
        self.estimates = EstimateApi(
            Resource(account, "estimates/estimates", "estimate", "estimates", Estimate, include=lines)
        )
        self.invoices = InvoiceApi(
            Resource(
                account, "invoices/invoices", "invoice", "invoices", Invoice, sort="invoice_date_asc", include=lines
            )
        )
        self._items = Resource(account, "items/items", "item", "items", Item)
        self._taxes = Resource(account, "taxes/taxes", "tax", "taxes", Tax)
        self._staff = Resource(account, "users/staffs", "staff", "staff", StaffMember)
        self._account = account

    async def items(self, *, page: int = 1) -> Page[Item]:
        """Return one page of up to 100 items. Source: https://www.freshbooks.com/api/items"""
        return await self._items.page(f"list items, page {page}", paging(page, LARGEST_PAGE))

    async def taxes(self, *, page: int = 1) -> Page[Tax]:
        """Return one page of up to 100 taxes. Source: https://www.freshbooks.com/api/taxes"""
        return await self._taxes.page(f"list taxes, page {page}", paging(page, LARGEST_PAGE))

    async def staff(self, *, page: int = 1) -> Page[StaffMember]:
        """Return one page of up to 100 staff, whom `ownerid` names. Source: https://www.freshbooks.com/api/staff"""
        return await self._staff.page(f"list staff, page {page}", paging(page, LARGEST_PAGE))

    async def team_members(self, business_id: int, *, page: int = 1) -> Page[TeamMember]:
        """Return one page of up to 100 people of a business, which `identity` names. `ownerid` does not know their
        ids: compare email addresses with `staff`. Source: https://www.freshbooks.com/api/team-members
        """
        url = f"{self._account.root}/auth/api/v1/businesses/{business_id}/team_members"
        request = Request(f"list team members, page {page}", "GET", url, paging(page, LARGEST_PAGE))
        return await self._account.caller.call(request, team_page)


def written(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as they stand in a body: Decimals as text, dates as ISO 8601."""
    return {key: _written(value) for key, value in values.items()}


def _written(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, date) else value
