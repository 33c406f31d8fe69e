"""What the workflow of a reconciliation and its activities tell each other. Fields are only added, with defaults."""

from datetime import datetime

from pydantic import BaseModel, Field

from activities.plan_models import PlanName

CRM, BOOKS, DELETED = "crm", "books", "deleted"
"""The lists that are read: all parties, the active and archived clients, the deleted clients."""
LISTINGS: dict[str, tuple[str, ...]] = {
    "opportunities": ("opportunities", "estimates", "deleted estimates", "invoices", "deleted invoices"),
    "payments": ("invoices", "payments"),
}
"""The lists of flows other than clients, in the order in which they are read."""


class BeginReport(BaseModel):
    """A comparison to be made of one connection's flow. One that was left unfinished lately is gone on with."""

    report_id: str
    connection: str
    flow: str = "clients"


class Report(BaseModel):
    """One comparison, and when it began to list. Pages are those to be read next; 0 is the end of a list.

    `webhooks` says whether the systems are asked to tell us of changes at all. `pages` has the lists of other flows, by
    their names.
    """

    report_id: str
    connection: str
    flow: str = "clients"
    started_at: datetime
    crm_page: int = 1
    books_page: int = 1
    deleted_page: int = 1
    webhooks: bool = False
    pages: dict[str, int] = Field(default_factory=dict)

    @property
    def staged_as(self) -> PlanName:
        """The name under which its records are staged."""
        return PlanName(plan_id=self.report_id, connection=self.connection)


class MoneyPage(BaseModel):
    """One page of a list of opportunities, documents or payments."""

    report: Report
    listing: str
    page: int


class LookAtMoney(BaseModel):
    """One record to be read once more, because it differs: an id, or `estimate:7`, `invoice:8`."""

    report: Report
    record: str


class ListPage(BaseModel):
    """One page to be listed; of clients that are deleted with `deleted`. `began` is when this pass over them began."""

    report: Report
    page: int
    deleted: bool = False
    began: datetime


class ListedPage(BaseModel):
    """How many records a page held, whether another follows, and which of them were deleted since the pass began."""

    listed: int
    has_more: bool
    deleted_lately: list[int] = Field(default_factory=list)


class LookAgain(BaseModel):
    """One record to be read once more, because it changed while the lists were read."""

    report: Report
    record_id: int


class ReadAgain(BaseModel):
    """Lists to be read again from their first page, and parties that are gone since they were listed."""

    report: Report
    listings: list[str]
    gone_parties: list[int] = Field(default_factory=list)


class CompareSides(BaseModel):
    """Compare what was staged. `is_final`: nothing is looked at once more, the report is finished in any case.

    `missing_hooks` are webhooks that should be registered and are not, as people know them.
    """

    report: Report
    is_complete: bool = True
    is_final: bool = False
    missing_hooks: list[str] = Field(default_factory=list)


class Compared(BaseModel):
    """What it came to. With records to look at once more, the report is not finished."""

    mismatches: int = 0
    new_mismatches: int = 0
    parties: list[int] = Field(default_factory=list)
    clients: list[int] = Field(default_factory=list)
    records: list[str] = Field(default_factory=list)
    is_finished: bool = True


class EndReport(BaseModel):
    """A report that cannot be finished: how it ends (failed, given-up), and why, in words for a person."""

    report: Report
    state: str
    text: str


class Announced(BaseModel):
    """How many mismatches were handed to the workflows of their records just now."""

    count: int
