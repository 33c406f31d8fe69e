"""Opportunities of Capsule and what belongs to them, as far as we read them. Amounts are Decimal, never float.

Source: https://developer.capsulecrm.com/v2/models/opportunity
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connectors.capsule.models import CapsuleRecord, FieldValue, Named, Party, Tag, User
from connectors.models import Instant


class Pipeline(CapsuleRecord):
    """A pipeline: a row of milestones. An opportunity's milestone decides in which one it is."""

    id: int
    name: str | None = None
    description: str | None = None


class Milestone(CapsuleRecord):
    """A milestone. In the short form inside other records only `id` and `name` are told.

    `complete` milestones close an opportunity; `probability` is in percent. Two pipelines may use the same name.
    """

    id: int
    name: str | None = None
    description: str | None = None
    complete: bool | None = None
    probability: int | None = None
    days_until_stale: int | None = None
    pipeline: Named | None = None


class LostReason(CapsuleRecord):
    """A reason for which opportunities are lost."""

    id: int
    name: str | None = None
    included_for_conversion: bool | None = None


class OpportunityValue(CapsuleRecord):
    """An amount and its ISO 4217 currency. Without an amount there usually still is a currency."""

    amount: Decimal | None = None
    currency: str | None = None


class Opportunity(CapsuleRecord):
    """An opportunity, with its party in full or in short.

    Whether it is open, won or lost is nowhere told: see `opportunity_rules.status_of`. Unless `duration_basis` is
    FIXED the amount is for one unit of it: see `total_of`. `tags` and `fields` are None unless they were asked for.
    """

    id: int
    party: Party | None = None
    name: str | None = None
    description: str | None = None
    owner: User | None = None
    team: Named | None = None
    milestone: Milestone | None = None
    value: OpportunityValue | None = None
    expected_close_on: date | None = None
    probability: int | None = None
    duration_basis: str | None = None
    duration: int | None = None
    closed_on: date | None = None
    lost_reason: LostReason | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None
    last_contacted_at: Instant | None = None
    last_stage_changed_at: Instant | None = None
    last_open_milestone: Milestone | None = None
    tags: list[Tag] | None = None
    fields: list[FieldValue] | None = None


class Entry(CapsuleRecord):
    """A note, an email or a completed task (`type`) on a record. `content` is Markdown."""

    id: int
    type: str | None = None
    content: str | None = None
    creator: User | None = None
    opportunity: Named | None = None
    entry_at: Instant | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None


@dataclass(frozen=True)
class UserAddresses:
    """A user, and the email addresses of the user's own party, the likeliest first.

    `emails` is None if Capsule did not tell: then `CapsuleApi.get_party(party_id)` does. Without a party: none.
    """

    user: User
    party_id: int | None
    emails: tuple[str, ...] | None
