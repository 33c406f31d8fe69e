"""What workflows and activities tell each other about an opportunity and its documents.

Fields are only ever added, with defaults: old runs live on. An amount is decimal text ("1250.50") beside its currency,
because JSON has no exact numbers.
"""

from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from pydantic import BaseModel, Field

from activities.models import OpenCreate
from mapping.plan import FieldWrite
from mapping.values import Value

Kind: TypeAlias = Literal["estimate", "invoice"]
"""A document of the books."""
State: TypeAlias = Literal["open", "won", "lost"]


class OpportunityKey(BaseModel):
    """One opportunity of one connection: of Capsule, or a deal of Zoho CRM."""

    connection: str
    opportunity_id: int


class DocumentKey(BaseModel):
    """The estimate or the invoice of one opportunity."""

    connection: str
    opportunity_id: int
    kind: Kind


class OpportunitySide(BaseModel):
    """What the CRM says now. `exists` is False once it was deleted.

    `party_ids` are the parties that may be its client, the likeliest first. `is_due` says whether it has come so far
    that it should have an estimate, `is_left_out` that a condition of the settings keeps it from being synced.
    """

    exists: bool
    state: State = "open"
    milestone: str = ""
    pipeline: str = ""
    party_ids: list[int] = Field(default_factory=list)
    values: dict[str, Value] = Field(default_factory=dict)
    lines: list["Line"] = Field(default_factory=list)
    problem: str = ""  # why no document can be made of it, with what to do
    is_due: bool = False
    is_left_out: bool = False
    left_out: str = ""  # by which condition
    fingerprint: str = ""
    created_at: datetime | None = None
    changed_at: datetime | None = None

    @property
    def known_as(self) -> dict[str, object]:
        """How people know it: for evidence, which is sealed, and for nothing else."""
        return {
            "name": self.values.get("name"),
            "amount": self.values.get("amount"),
            "currency": self.values.get("currency"),
            "milestone": self.milestone,
        }


class Line(BaseModel):
    """One line of a document. Quantity and unit cost are decimal text, in the document's currency; taxes in percent."""

    name: str
    description: str = ""
    quantity: str = "1"
    unit_cost: str
    taxes: list["LineTax"] = Field(default_factory=list)


class LineTax(BaseModel):
    """A tax on a line: its name, and its percentage as decimal text."""

    name: str
    percent: str


class DocumentRef(BaseModel):
    """One document as FreshBooks knows it."""

    key: DocumentKey
    document_id: int


class DocumentSide(BaseModel):
    """What FreshBooks says now of an estimate or an invoice. `total` is what it computed."""

    document_id: int
    exists: bool = True
    visible: bool = True
    client_id: int = 0
    number: str = ""
    reference: str = ""  # of ours, if it carries one
    status: str = ""  # draft, sent, viewed, accepted, invoiced, partial, paid …
    values: dict[str, Value] = Field(default_factory=dict)
    lines: list[Line] = Field(default_factory=list)
    total: str = ""
    paid: str = ""  # of an invoice
    outstanding: str = ""
    currency: str = ""
    link: str = ""
    fingerprint: str = ""
    created_at: datetime | None = None
    changed_at: datetime | None = None


class DocumentStanding(BaseModel):
    """Where one document of an opportunity stands: its id, what both sides agreed on, or the intent to create it."""

    document_id: int | None = None
    base: dict[str, Value] | None = None
    state: str = "active"
    crm_seen: str | None = None
    books_seen: str | None = None
    version: str = ""
    create: OpenCreate | None = None


class OpportunityStanding(BaseModel):
    """Where an opportunity stands before a pass, and by which rules (`version`) it is synced."""

    version: str
    estimate: DocumentStanding
    invoice: DocumentStanding
    invoices: bool = False  # whether what is won is invoiced
    numbers: dict[Kind, str] = Field(default_factory=dict)  # that its documents have, or would have
    settle_time: timedelta = timedelta(0)
    writes_lately: int = 0  # in the last ten minutes, on either side

    def of(self, kind: Kind) -> DocumentStanding:
        """Return where one document stands."""
        return self.estimate if kind == "estimate" else self.invoice


class FindClient(BaseModel):
    """Which client do these parties have? The first that has one counts."""

    connection: str
    party_ids: list[int]


class ClientFound(BaseModel):
    """The client, and its party; None while none of the parties has one."""

    client_id: int | None = None
    party_id: int | None = None


class LookForDocument(BaseModel):
    """Search for a document by the number that it would have, and by our reference on it."""

    key: DocumentKey
    number: str
    reference: str
    client_id: int | None = None


class DocumentsFound(BaseModel):
    """Documents of this number, each checked on our side; those that were deleted too."""

    documents: list[DocumentSide] = Field(default_factory=list)
    is_first: bool = False  # whether the client has no document of this kind at all


class PlanDocuments(BaseModel):
    """Everything a plan is made of."""

    key: OpportunityKey
    standing: OpportunityStanding
    opportunity: OpportunitySide
    client_id: int | None = None
    estimate: DocumentSide | None = None
    invoice: DocumentSide | None = None
    found: dict[Kind, list[DocumentSide]] = Field(default_factory=dict)
    is_first_invoice: bool = False  # of this client
    approved: str = ""  # the digest of what a person has approved
    by_person: bool = False
    take: Literal["crm", "books"] | None = None  # how a person settled a conflict


Action: TypeAlias = Literal["none", "create", "update", "adopt", "archive", "restore", "accept", "send"]


class DocumentPlan(BaseModel):
    """What becomes of one document, and why. `explanation` names fields and ids, never values."""

    kind: Kind
    action: Action = "none"
    document_id: int | None = None
    explanation: str = ""
    writes: list[FieldWrite] = Field(default_factory=list)
    next_base: dict[str, Value] = Field(default_factory=dict)
    lines: list[Line] | None = None  # None leaves those that are there
    predicted: str = ""  # the total that FreshBooks will compute
    client_id: int | None = None
    number: str = ""
    estimate_id: int | None = None  # of which an invoice is made
    then: list[Action] = Field(default_factory=list)  # once that is done
    rules: dict[str, str] = Field(default_factory=dict)  # how each field is made, in words


class OpportunityPlan(BaseModel):
    """What a pass would do: to documents, one after the other, and to the opportunity. Or why a person is asked."""

    version: str
    documents: list[DocumentPlan] = Field(default_factory=list)
    settled: dict[Kind, dict[str, Value]] = Field(default_factory=dict)  # bases of documents that need no step
    move_to: str = ""  # the milestone that the estimate's status asks for
    crm_writes: list[FieldWrite] = Field(default_factory=list)
    final_base: dict[str, Value] = Field(default_factory=dict)  # of the estimate, once the opportunity is written
    hold_reason: str | None = None
    explanation: str = ""
    evidence: dict[str, object] = Field(default_factory=dict)
    digest: str = ""  # of the payload that an approval is bound to
    escalate_after: timedelta | None = None  # people are told once more
    expire_after: timedelta | None = None  # after that it counts as rejected
    needs_client: bool = False
    orphans: Kind | None = None  # the document that a person deleted
    reopened: dict[Kind, OpenCreate] = Field(default_factory=dict)  # intents that may be used again


class EndDocument(BaseModel):
    """A document's link that stands otherwise from now on."""

    key: DocumentKey
    state: Literal["active", "orphaned", "tombstoned"]
    cause: str
    version: str


class SettleDocument(BaseModel):
    """What an opportunity and a document agree on, although nothing was written to either."""

    key: DocumentKey
    document_id: int
    base: dict[str, Value]
    crm_seen: str
    books_seen: str
    version: str


class WriteDocument(BaseModel):
    """One step of a plan, with what the link and the audit log need to know about it."""

    key: DocumentKey
    plan: DocumentPlan
    version: str
    cause: str
    crm_seen: str = ""
    create: OpenCreate | None = None
    opportunity_created_at: datetime | None = None
    opportunity_changed_at: datetime | None = None
    document_created_at: datetime | None = None  # as it was read before; of a new one FreshBooks' answer says it
    document_changed_at: datetime | None = None


class DocumentWritten(BaseModel):
    """The document that a step left behind, as FreshBooks answered."""

    document: DocumentSide
    mismatch: str = ""  # how its total differs from the predicted one, in minor units: no amounts


class MoveOpportunity(BaseModel):
    """Write to an opportunity what its documents say."""

    key: OpportunityKey
    milestone: str = ""
    writes: list[FieldWrite] = Field(default_factory=list)
    next_base: dict[str, Value] = Field(default_factory=dict)  # of its estimate
    seen: str = ""  # the opportunity's fingerprint: if it has moved since, nothing is written
    cause: str
    version: str
    document_created_at: datetime | None = None  # of its estimate, whose change this carries over
    document_changed_at: datetime | None = None


class WriteBack(BaseModel):
    """Tell an opportunity of its invoice: in custom fields, and in a note that carries our marker."""

    key: OpportunityKey
    invoice: DocumentSide
    reference: str
    cause: str
    version: str


class DocumentsPage(BaseModel):
    """One page of the estimates or invoices that changed since an instant; None lists them all."""

    connection: str
    kind: Kind
    since: datetime | None = None
    page: int = 1
    priority: int = 3


class OpportunityWritten(BaseModel):
    """The opportunity as it is then."""

    opportunity: OpportunitySide
