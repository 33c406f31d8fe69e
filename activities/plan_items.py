"""The items of a plan: what a pass would do to each pair, asked of the same functions that a pass asks. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from activities.models import ClientKey, ClientSide, OpenCreate, PartyKey, PlanClient
from activities.party_models import PlanParty
from activities.plan_models import StagedClient, StagedParty
from activities.plan_survey import Clients, Survey
from activities.planning import (
    conflicts_between,
    party_plan_digest,
    plan_digest,
    plan_for_client,
    plan_without_client,
    plan_without_party,
)
from mapping.engine import Template
from mapping.matching import SURE, Doubtful, Same
from mapping.plan import ClientPlan, FieldWrite
from mapping.rules import Direction
from mapping.values import Value
from store.links import Link
from store.plans import Action, NewItem

_DOUBTS = ("doubtful-match", "duplicate-found")
# Nothing is reserved for a plan: what a pass would reserve looks like this.
_NOT_RESERVED = OpenCreate(intent_id=0, reference="", fence=0)


@dataclass(frozen=True)
class Rules:
    """What the items of one plan are made by. `fingerprint` is the store's keyed one."""

    connection: str
    template: Template
    fingerprint: Callable[[bytes], str]
    reference_of: Callable[[int], str]


class ItemMaker:
    """Makes the items of one plan from what was listed. A pair that is in step has none."""

    def __init__(self, rules: Rules, survey: Survey) -> None:
        self._rules, self._survey = rules, survey
        self._undecided: dict[int, int] = {}

    def for_party(self, party_id: int, party: StagedParty, link: Link | None, clients: Clients) -> NewItem | None:
        """Return what would become of a party and its client. Parties come before clients."""
        if party.problem:
            return _skipped("unmappable", party.problem, party.name, party_id=party_id)
        if party.side.left_out:
            client_id = int(link.books_id) if link is not None and link.books_id is not None else None
            return _skipped("left-out", party.side.left_out, party.name, party_id=party_id, client_id=client_id)
        if link is not None and link.books_id is not None:
            return self._for_pair(party_id, party, link, clients.get(int(link.books_id)))
        if party.side.stands_alone is False:
            return _skipped(
                "left-to-people", "the people who belong to it are the clients", party.name, party_id=party_id
            )
        return self._for_single(party_id, party, clients)

    def for_client(self, client: StagedClient) -> NewItem | None:
        """Return what would become of a client whose party was not listed; None if a party tells."""
        client_id = client.side.client_id
        owner = self._survey.owners.get(client_id)
        if owner is not None:
            text = f"its party {owner} is not in the CRM any more"
            return _skipped("party-gone", text, client.name, party_id=owner, client_id=client_id)
        if self._survey.rivals(client_id):
            return None
        reason = self._left_alone(client)
        if reason is not None:
            party_id = self._undecided.get(client_id)
            return _skipped(*reason, client.name, party_id=party_id, client_id=client_id)
        return self._new_party(client)

    def _for_pair(self, party_id: int, party: StagedParty, link: Link, client: StagedClient | None) -> NewItem | None:
        side = client.side if client else ClientSide(client_id=int(link.books_id or 0), exists=False)
        living = side.exists and side.visible
        if link.state == "orphaned" and not living:
            text = f"client {side.client_id} was deleted, and a person decided that no other is to take its place"
            return _skipped("orphaned", text, party.name, party_id=party_id, client_id=side.client_id)
        asked = self._asked(party_id, party)
        planned = plan_for_client(asked, side, link.base, self._rules.template)
        # Nearly every pair is in step: only for those that are not, the merge is worth a second look.
        more = self._conflicts(party, side, link.base) if planned.plan.action == "hold" else {}
        return self._item(planned.plan, party_id, party, client, more)

    def _for_single(self, party_id: int, party: StagedParty, clients: Clients) -> NewItem | None:
        marked = self._survey.marked(party_id, party)
        verdict = self._survey.verdict(party_id)
        if not marked and isinstance(verdict, Doubtful):
            return self._doubtful(party_id, party, verdict, clients)
        asked = self._asked(party_id, party)
        wanted = marked or ((verdict.other_id,) if isinstance(verdict, Same) else ())
        asked.candidates = [clients[each].side for each in wanted if each in clients]
        asked.chosen = party.side.partner_hint or (verdict.other_id if isinstance(verdict, Same) else None)
        owners = {each: str(self._survey.owners[each]) for each in wanted if each in self._survey.owners}
        planned = plan_without_client(asked, owners, self._rules.template)
        for client_id in planned.candidate_ids:
            self._undecided.setdefault(client_id, party_id)
        marks = [_candidate(each, clients.get(each), "our reference", SURE) for each in planned.candidate_ids]
        more: dict[str, Any] = {"remark": self._remark(party_id, planned.plan), "candidates": marks}
        partner = clients.get(planned.plan.client_id or 0)
        if partner is not None:
            more |= self._conflicts(party, partner.side, None)
        return self._item(planned.plan, party_id, party, partner, more)

    def _doubtful(self, party_id: int, party: StagedParty, verdict: Doubtful, clients: Clients) -> NewItem:
        for match in verdict.matches:
            self._undecided.setdefault(match.other_id, party_id)
        rivals = [each for each in self._survey.rivals(verdict.matches[0].other_id) if each != party_id]
        several = f"; party {', '.join(map(str, rivals[:10]))} has the same claim" if rivals else ""
        ids = ", ".join(str(each.other_id) for each in verdict.matches)
        plan = ClientPlan(
            action="hold",
            client_id=None,
            writes=[],
            hold_reason="doubtful-match",
            explanation=f"may be client {ids}{several}",
            mapping_version=self._rules.template.version,
        )
        candidates = [
            _candidate(each.other_id, clients.get(each.other_id), each.text, each.score) for each in verdict.matches
        ]
        item = self._item(plan, party_id, party, None, {"candidates": candidates})
        if item is None:
            raise ValueError("a doubtful match is never in step")
        return item

    def _asked(self, party_id: int, party: StagedParty) -> PlanClient:
        create = _NOT_RESERVED.model_copy(update={"reference": self._rules.reference_of(party_id)})
        key = PartyKey(connection=self._rules.connection, party_id=party_id)
        return PlanClient(key=key, party=party.side, create=create)

    def _item(
        self,
        plan: ClientPlan,
        party_id: int,
        party: StagedParty,
        partner: StagedClient | None,
        more: Mapping[str, Any],
    ) -> NewItem | None:
        action = _action(plan)
        if action is None:
            return None
        detail = {
            "name": party.name,
            "partner": partner.name if partner else "",
            "text": plan.explanation,
            "writes": _shown(plan.writes),
            "crm_writes": _shown(plan.crm_writes),
            **{key: value for key, value in more.items() if value},
        }
        digest = plan_digest(plan, self._rules.fingerprint)
        return NewItem(action, _side(plan), "", party_id, plan.client_id, digest, detail)

    def _conflicts(self, party: StagedParty, client: ClientSide, base: Mapping[str, Value] | None) -> dict[str, Any]:
        """Return what both sides say where both have changed."""
        if not client.exists or not client.visible:
            return {}
        found = conflicts_between(party.side, client, base, self._rules.template)
        shown = [{"field": field, "crm": each.crm, "books": each.books} for field, each in sorted(found.items())]
        return {"conflicts": shown}

    def _remark(self, party_id: int, plan: ClientPlan) -> str:
        """Return, for a party that would get a client of its own, which other client looks like it."""
        match = self._survey.resembles(party_id) if plan.action == "create" else None
        if match is None:
            return ""
        owners = (self._survey.owners.get(match.other_id), *self._survey.rivals(match.other_id))
        owner = next((each for each in owners if each is not None), None)
        belongs = f"which belongs to party {owner}" if owner else "which was deleted in FreshBooks"
        return f"{match.text}: client {match.other_id}, {belongs}"

    def _left_alone(self, client: StagedClient) -> tuple[str, str] | None:
        """Return why no party would be made for a client, None if one would."""
        client_id = client.side.client_id
        if not client.side.visible:
            return "deleted", "it was deleted in FreshBooks"
        if client_id in self._undecided:
            return "undecided", f"it may be the client of party {self._undecided[client_id]}: that is decided first"
        if self._survey.is_marked(client_id):
            return "made-by-us", "it was made for a party that the CRM does not list any more"
        return self._not_carried(client)

    def _not_carried(self, client: StagedClient) -> tuple[str, str] | None:
        if not self._rules.template.is_two_way:
            return "one-way", "the mapping carries nothing to the CRM"
        if self._rules.template.when is not None:
            return "left-out", "the mapping has a `when`, and a client that is new in the books gets no party then"
        return ("archived", "it is archived in FreshBooks") if client.side.archived else None

    def _new_party(self, client: StagedClient) -> NewItem:
        client_id = client.side.client_id
        key = ClientKey(connection=self._rules.connection, client_id=client_id)
        planned = plan_without_party(PlanParty(key=key, client=client.side, create=_NOT_RESERVED), None, {})
        digest = party_plan_digest(planned, client.side.values, self._rules.fingerprint)
        carried = [
            FieldWrite(field=field, before=None, after=value)
            for field, value in sorted(client.side.values.items())
            if value is not None and self._rules.template.rules[field].direction is Direction.BOTH
        ]
        detail = {"name": client.name, "text": planned.explanation, "crm_writes": _shown(carried)}
        return NewItem("create", "crm", "", None, client_id, digest, detail)


def _action(plan: ClientPlan) -> Action | None:
    if plan.action == "none":
        return None
    if plan.action == "hold":
        return "doubtful" if plan.hold_reason in _DOUBTS else "conflict"
    return plan.action


def _side(plan: ClientPlan) -> str:
    if plan.writes and plan.crm_writes:
        return "both"
    return "books" if plan.writes or plan.action == "create" else "crm" if plan.crm_writes else ""


def _skipped(
    reason: str, text: str, name: str, *, party_id: int | None = None, client_id: int | None = None
) -> NewItem:
    return NewItem("skip", "", reason, party_id, client_id, "", {"name": name, "text": text})


def _shown(writes: list[FieldWrite]) -> list[dict[str, Any]]:
    return [each.model_dump() for each in writes]


def _candidate(client_id: int, client: StagedClient | None, why: str, score: int) -> dict[str, Any]:
    """Return a candidate as a person needs to see it."""
    values = client.side.values if client else {}
    place = ", ".join(str(values[field]) for field in ("p_code", "p_city", "p_country") if values.get(field))
    return {
        "id": client_id,
        "name": client.name if client else "",
        "email": str(values.get("email") or ""),
        "place": place,
        "why": why,
        "score": score,
    }
