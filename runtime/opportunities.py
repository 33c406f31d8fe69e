"""What an installation is told about opportunities, estimates and invoices. Left out, a connection syncs none."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from runtime.fields import Duration, Section

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Milestone = Annotated[str, Field(min_length=1, max_length=200)]
"""The name of a milestone or stage, alone or after its pipeline: "Proposal", "Consulting / Proposal"."""
InvoiceFact = Literal["id", "number", "amount", "paid", "outstanding", "currency", "status", "link"]
"""What of an invoice can be shown on its opportunity."""
Percent = Annotated[Decimal, Field(ge=0, le=100, decimal_places=3)]


class TaxRule(Section):
    """A tax that is put on every line, as FreshBooks names it."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    percent: Percent


class LineShare(Section):
    """One line of a template: its share of the value in percent, a fixed amount, or the rest if neither is given."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: str = ""
    percent: Percent | None = None
    amount: Annotated[Decimal, Field(gt=0)] | None = None
    currency: Currency | None = None
    # Only opportunities that meet this condition have the line.
    when: Annotated[str, Field(max_length=1000)] = ""

    @model_validator(mode="after")
    def _is_one_of_three(self) -> Self:
        if (self.amount is None) != (self.currency is None):
            raise ValueError("give `amount` and `currency` together: nothing here converts")
        if self.percent is not None and self.amount is not None:
            raise ValueError("give either `percent` or `amount`")
        return self

    @property
    def takes_rest(self) -> bool:
        """Whether it takes what the others leave."""
        return self.percent is None and self.amount is None


class LineFields(Section):
    """The custom fields that say one line: its name, and its amount, or a quantity and the price of one."""

    name: Annotated[str, Field(min_length=1)]
    amount: Annotated[str, Field(min_length=1)]
    quantity: Annotated[str, Field(min_length=1)] | None = None


class RoundingRules(Section):
    """How FreshBooks rounds, which nobody says for certain: a total that comes out otherwise is held."""

    mode: Literal["half-up", "half-even", "down"] = "half-up"
    taxes: Literal["line", "document"] = "line"
    # With two decimals in every currency, or with as many as the currency has: none for JPY, three for KWD.
    decimals: Literal["two", "minor-units"] = "two"


class ApprovalRules(Section):
    """Which invoices wait for a person: above an amount, by currency, and the first of a client."""

    above: dict[Currency, Annotated[Decimal, Field(ge=0)]] = Field(default_factory=dict)
    first_invoice: bool = False
    # People are told once more, and at last it counts as rejected: until something changes, it is not asked again.
    escalate_after: Duration = timedelta(days=1)
    expire_after: Duration = timedelta(days=14)


class OpportunitiesFlow(Section):
    """How opportunities (in Zoho CRM: deals) become estimates and invoices, and what comes back."""

    # Name and amount go both ways with `both`; where an estimate is accepted goes back in any case.
    direction: Literal["both", "to-books"] = "both"
    # Who is right about name and amount where both sides changed them: one side, the newest edit, or a person.
    both_changed: Literal["crm", "books", "newest", "ask"] = "crm"
    sweep_every: Duration = timedelta(minutes=5)
    # Only opportunities that meet this condition are synced; one that meets it no longer is left as it is.
    when: Annotated[str, Field(max_length=1000)] = ""
    # From this milestone on an opportunity has an estimate. None: opportunities are only invoiced.
    estimate_from: tuple[Milestone, ...] = ()
    # At which milestone an estimate has which status. `accepted` is also written; the others only move the opportunity.
    milestones: dict[Milestone, Literal["sent", "viewed", "accepted"]] = Field(default_factory=dict)
    # What a won opportunity becomes: a draft, or an invoice that is marked as sent.
    invoice: Literal["none", "draft", "final"] = "draft"
    due_days: Annotated[int, Field(ge=0, le=365)] = 30
    estimate_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{0,12}$")] = "E-"
    invoice_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{0,12}$")] = "I-"
    # Customers read the notes. Names in braces: {milestone}, {expected_close}.
    notes: Annotated[str, Field(max_length=1000)] = ""
    # Without lines the opportunity is one line of its own name.
    lines: tuple[LineShare, ...] = ()
    # Or what custom fields say, a line for each entry whose fields are filled in.
    line_fields: tuple[LineFields, ...] = ()
    # What these lines lack of the opportunity's value becomes a line of this name; none: it waits for a person.
    rest_line: Annotated[str, Field(max_length=200)] = ""
    taxes: Annotated[tuple[TaxRule, ...], Field(max_length=2)] = ()
    rounding: RoundingRules = RoundingRules()
    # The staff member of FreshBooks, by email address, who stands in for owners that FreshBooks does not know.
    default_owner: str = ""
    # The custom fields of opportunities that show the invoice; none: only the note does. `connect` makes them.
    invoice_fields: dict[InvoiceFact, str] = Field(default_factory=dict)
    note: bool = True
    # Where our own people see an invoice in FreshBooks, with {id} and {number} in it: no such address is documented.
    invoice_link: Annotated[str, Field(max_length=500)] = ""
    approvals: ApprovalRules = ApprovalRules()

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        if self.estimate_prefix == self.invoice_prefix:
            raise ValueError("give estimates and invoices different prefixes: people would mix their numbers up")
        return self

    @model_validator(mode="after")
    def _lines_add_up(self) -> Self:
        shares = [each.percent for each in self.lines if each.percent is not None]
        rests = [each for each in self.lines if each.takes_rest]
        if self.line_fields and self.lines:
            raise ValueError("give `lines`, or `line_fields`: the lines come from the one or the other")
        if any(each.when for each in rests) or (
            not rests and any(each.when or each.amount is not None for each in self.lines)
        ):
            raise ValueError("beside a fixed amount or a `when` one line has to take the rest, always")
        whole = not rests and sum(shares) == 100
        if len(rests) > 1 or (self.lines and not whole and not (rests and sum(shares) < 100)):
            raise ValueError("the lines' shares must come to 100 percent, or to less beside one line without a share")
        return self
