"""What another mapping would do to clients: the same engine, asked twice about the same records."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, TypeAlias

from activities.crm import CrmParty
from activities.models import ClientSide, PartyKey, PartySide, PlanClient
from activities.planning import plan_for_client
from activities.sides import party_side
from mapping.plan import ClientPlan, FieldWrite
from mapping.values import IncompleteRecord, UnmappableValue
from runtime.keys import KEY_BYTES, KeyRing
from store.database import Database
from store.links import Links
from worker.mapping_inputs import Inputs
from worker.mapping_sides import Side

State: TypeAlias = Literal["synced", "left out", "held"]
NOBODY, NONE = 0, "none"


@dataclass
class ClientsDifference:
    """What differs, by id of the party: what the next sync would write to clients that OLD left in step.

    `crm_writes` go to the party itself. `held` says, without a value, why a party would wait for a person that now does
    not; `no_longer_held` are those that would go on.
    """

    compared: int = 0
    writes: dict[int, Sequence[FieldWrite]] = field(default_factory=dict)
    crm_writes: dict[int, Sequence[FieldWrite]] = field(default_factory=dict)
    left_out: list[int] = field(default_factory=list)
    taken_in: list[int] = field(default_factory=list)
    held: dict[int, str] = field(default_factory=dict)
    no_longer_held: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many parties differ in anything."""
        lists = (self.writes, self.crm_writes, self.left_out, self.taken_in, self.held, self.no_longer_held)
        return len({party for each in lists for party in each})


@dataclass(frozen=True)
class Judged:
    """What one mapping makes of one party."""

    state: State
    side: PartySide = field(default_factory=lambda: PartySide(exists=True))
    why: str = ""


def compare_clients(old: Side, new: Side, inputs: Inputs) -> ClientsDifference:
    """Return what differs between two mappings, record by record.

    Clients are taken to say what OLD wrote to them, and nothing in fields that OLD does not sync.
    """
    found = ClientsDifference()
    for party in _with_clients(inputs):
        found.compared += 1
        _note(found, party, judged(old, party, inputs), judged(new, party, inputs), new)
    return found


def judged(side: Side, party: CrmParty, inputs: Inputs) -> Judged:
    """Return what a mapping makes of a party."""
    try:
        seen = party_side(party, side.template, side.context, no_links(), inputs.head.field_ids)
    except (UnmappableValue, IncompleteRecord) as error:
        return Judged("held", why=str(error))
    return Judged("left out" if seen.left_out else "synced", seen)


def without_client(side: Side, inputs: Inputs) -> set[int]:
    """Return the parties that get no client: left out, or held because they cannot be mapped."""
    return {each.id for each in _with_clients(inputs) if judged(side, each, inputs).state != "synced"}


@cache
def no_links() -> Links:
    """Return links of no store: they fingerprint, with a key that is nobody's, and remember nothing."""
    return Links(Database("sqlite+aiosqlite://"), KeyRing({NONE: bytes(KEY_BYTES)}))


def _with_clients(inputs: Inputs) -> Iterator[CrmParty]:
    """Give the parties that are clients of their own: an organisation that has people is none, they are."""
    return (each for each in inputs.parties if each.stands_alone is not False)


def _note(found: ClientsDifference, party: CrmParty, before: Judged, after: Judged, new: Side) -> None:
    match before.state, after.state:
        case "held", "held":
            pass
        case _, "held":
            found.held[party.id] = after.why
        case (("synced" | "held"), "left out"):
            found.left_out.append(party.id)
        case "left out", "synced":
            found.taken_in.append(party.id)
        case "held", "synced":
            found.no_longer_held.append(party.id)
        case "synced", "synced":
            _note_plan(found, party.id, _plan(party.id, before, after, new))


def _note_plan(found: ClientsDifference, party_id: int, plan: ClientPlan) -> None:
    if plan.action == "hold":
        found.held[party_id] = plan.explanation
    if plan.writes:
        found.writes[party_id] = plan.writes
    if plan.crm_writes:
        found.crm_writes[party_id] = plan.crm_writes


def _plan(party_id: int, before: Judged, after: Judged, new: Side) -> ClientPlan:
    """Return what the next pass would plan. It reads the client as NEW does: another spelling may be no difference."""
    asked = PlanClient(key=PartyKey(connection=NONE, party_id=party_id), party=after.side)
    client = ClientSide(client_id=NOBODY, values=new.template.books_values(before.side.values, new.context))
    return plan_for_client(asked, client, before.side.values, new.template).plan
