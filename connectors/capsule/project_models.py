"""Projects of Capsule, which its API calls kases. Source: https://developer.capsulecrm.com/v2/models/project"""

from datetime import date

from connectors.capsule.models import CapsuleRecord, FieldValue, Named, Party, Tag, User
from connectors.models import Instant


class Project(CapsuleRecord):
    """A project, with its party in full or in short. `status` is `OPEN` or `CLOSED`; `closed_on` cannot be written.

    `tags` and `fields` are None unless they were asked for.
    """

    id: int
    party: Party | None = None
    name: str | None = None
    description: str | None = None
    owner: User | None = None
    team: Named | None = None
    status: str | None = None
    opportunity: Named | None = None
    stage: Named | None = None
    start_on: date | None = None
    expected_close_on: date | None = None
    closed_on: date | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None
    last_contacted_at: Instant | None = None
    tags: list[Tag] | None = None
    fields: list[FieldValue] | None = None
