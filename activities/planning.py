"""What a pass would do, decided from both sides. Pure: the same inputs give the same plan."""

import json
from collections.abc import Callable, Mapping, Sequence

from activities.models import ClientSide, OpenCreate, PartySide, PlanClient, PlannedPass
from activities.party_models import PartyCandidate, PartyPlan, PlanParty
from mapping.engine import Template
from mapping.identity import Adopt, Candidate, Doubt, choose
from mapping.matching import Doubtful, Same, doubtful, face_of, judge
from mapping.merge import Conflict, merge
from mapping.plan import ClientPlan, FieldWrite
from mapping.rules import Direction, FieldRule, WhenEmpty
from mapping.values import Value
from store.links import Link
from store.records import RecordKey


def plan_for_client(
    asked: PlanClient,
    client: ClientSide,
    base: Mapping[str, Value] | None,
    template: Template,
    *,
    adopted: bool = False,
) -> PlannedPass:
    """Return the plan for a party whose client is known: update it, adopt it, hold, or nothing to do."""
    if asked.party.left_out:
        return _left_alone(asked.party, client, base, template)
    if not client.exists or not client.visible:
        text = (
            f"client {client.client_id} was deleted in FreshBooks; restore it there and retry, create another, or skip"
        )
        return _held(template, client.client_id, "conflict", text).model_copy(update={"orphan": True})
    merged = merge(
        base,
        asked.party.values,
        client.values,
        _rules(asked.party, template),
        crm_changed_at=asked.party.changed_at,
        books_changed_at=client.changed_at,
    )
    if asked.take is not None:
        merged = merged.resolve(asked.take)
    if merged.conflicts:
        text = f"both sides changed: {', '.join(sorted(merged.conflicts))}"
        return _held(template, client.client_id, "conflict", text)
    kept = {field: value for field, value in (base or {}).items() if field in asked.party.unmet}
    writes = _writes(client.values, merged.books_writes)
    crm_writes = _writes(asked.party.values, merged.crm_writes)
    action = "link" if adopted else "update" if writes or crm_writes else "none"
    plan = ClientPlan(
        action=action,
        client_id=client.client_id,
        writes=writes,
        crm_writes=crm_writes,
        hold_reason=None,
        explanation=f"{action}: {_named(writes, crm_writes) or 'in step'}",
        mapping_version=template.version,
    )
    return PlannedPass(
        plan=plan,
        next_base={**merged.next_base(crm_written=False), **kept},
        final_base={**merged.next_base(), **kept},
        client=client,
        create=asked.create,
    )


def _left_alone(
    party: PartySide, client: ClientSide, base: Mapping[str, Value] | None, template: Template
) -> PlannedPass:
    """Return the plan for a linked party that is left out: nothing is written, and nothing is agreed on anew."""
    plan = ClientPlan(
        action="none",
        client_id=client.client_id,
        writes=[],
        hold_reason=None,
        explanation=party.left_out,
        mapping_version=template.version,
    )
    return PlannedPass(plan=plan, next_base=dict(base or {}), final_base=dict(base or {}), client=client)


def conflicts_between(
    party: PartySide, client: ClientSide, base: Mapping[str, Value] | None, template: Template
) -> Mapping[str, Conflict]:
    """Return what each side says where both have changed, for the person who decides."""
    times = {"crm_changed_at": party.changed_at, "books_changed_at": client.changed_at}
    return merge(base, party.values, client.values, _rules(party, template), **times).conflicts


def plan_without_client(asked: PlanClient, owners: Mapping[int, str], template: Template) -> PlannedPass:
    """Return the plan for a party that has no client yet: adopt one, create one, or let a person choose.

    `owners` says which other party each candidate is linked to.
    """
    create = asked.create
    if create is None:
        raise ValueError("a party without a client needs its intent")
    picked = next((each for each in asked.candidates if each.client_id == asked.chosen), None)
    refused = _refused(asked, picked, owners, template)
    if refused is not None:
        return refused
    if picked is not None:
        return plan_for_client(asked, picked, None, template, adopted=True)
    # A person wants another client. Our own request may have made it already, if its answer was lost.
    made = create.in_doubt and any(each.reference == create.reference for each in asked.candidates)
    if asked.create_anyway and not made:
        return _creation(asked, create, template)
    identity = choose(
        [_candidate(each, owners) for each in asked.candidates],
        email=_text(asked.party.values.get("email")),
        reference=create.reference,
    )
    if isinstance(identity, Doubt):
        return _doubt(template, identity.why, list(identity.client_ids), "")
    if isinstance(identity, Adopt):
        return _adoption(asked, identity, template)
    return _alike(asked, owners, template) or _creation(asked, create, template)


def _refused(
    asked: PlanClient, picked: ClientSide | None, owners: Mapping[int, str], template: Template
) -> PlannedPass | None:
    """Return the hold in which a person learns why what they asked for cannot be done, None if it can."""
    if asked.party.left_out:
        return _held(template, None, "rejected", f"{asked.party.left_out}; change the party or the mapping, or skip")
    if picked is not None and picked.client_id in owners:
        text = f"client {picked.client_id} belongs to party {owners[picked.client_id]}; pick another, or create one"
        return _held(template, None, "doubtful-match", text)
    return None


def _adoption(asked: PlanClient, identity: Adopt, template: Template) -> PlannedPass:
    hit = next(each for each in asked.candidates if each.client_id == identity.client_id)
    if identity.why == "same-email" and _tax_numbers_differ(asked.party, hit):
        return _doubt(template, "doubtful-match", [hit.client_id], " (same email address, another tax number)")
    return plan_for_client(asked, hit, None, template, adopted=True)


def _rules(party: PartySide, template: Template) -> Mapping[str, FieldRule]:
    """Return the rules for this party: what it cannot take over goes only to the books.

    A field whose condition it does not meet has none: it stays as it is on either side.
    """
    changes: dict[str, dict[str, object]] = {each: {"direction": Direction.TO_BOOKS} for each in party.books_only}
    for field in party.silent:
        changes[field] = {**changes.get(field, {}), "when_empty": WhenEmpty.KEEP}
    changed = {field: template.rules[field].model_copy(update=each) for field, each in changes.items()}
    return {field: rule for field, rule in {**template.rules, **changed}.items() if field not in party.unmet}


def _alike(asked: PlanClient, owners: Mapping[int, str], template: Template) -> PlannedPass | None:
    """Return what to do about clients without a party that look like this one, None if there are none."""
    free = {
        each.client_id: each
        for each in asked.candidates
        if each.visible and each.reference is None and each.client_id not in owners
    }
    faces = {client_id: face_of(each.values) for client_id, each in free.items()}
    face = face_of(asked.party.values, is_person=not asked.party.is_organisation)
    verdict = judge(face, doubtful(face, faces), faces)
    if isinstance(verdict, Same):
        return plan_for_client(asked, free[verdict.other_id], None, template, adopted=True)
    if isinstance(verdict, Doubtful):
        why = "; ".join(f"{each.other_id}: {each.text}" for each in verdict.matches)
        return _doubt(template, "doubtful-match", [each.other_id for each in verdict.matches], f" ({why})")
    return None


def _tax_numbers_differ(party: PartySide, client: ClientSide) -> bool:
    """Return whether the one speaks against the other: one address under two tax numbers belongs to two firms."""
    one, other = face_of(party.values).tax_number, face_of(client.values).tax_number
    return bool(one and other and one != other)


def _doubt(template: Template, reason: str, ids: list[int], why: str) -> PlannedPass:
    text = f"{len(ids)} clients may be this party's: {', '.join(map(str, ids))}{why}; pick one, or create another"
    return _held(template, None, reason, text, ids)


def plan_without_party(asked: PlanParty, maker: RecordKey | None, links: Mapping[int, Link]) -> PartyPlan:
    """Return what becomes of a client that no party is linked to.

    `maker` is the record for which we once made it, and `links` those of the candidates that have one.
    """
    client_id = asked.key.client_id
    if maker is not None and maker.side == "crm":
        return PartyPlan(action="forward", party_id=int(maker.record_id), explanation="made by us for this party")
    if asked.chosen is not None:
        return _picked(asked.chosen, client_id, links)
    made = [each for each in asked.candidates if each.reference == asked.create.reference]
    if asked.create_anyway and not made:
        return PartyPlan(action="create", explanation="create the party of this client", create=asked.create)
    owners = {party_id: str(link.books_id) for party_id, link in links.items() if link.books_id != str(client_id)}
    email = _text(asked.client.values.get("email"))
    identity = choose(
        [_party(each, owners) for each in asked.candidates], email=email, reference=asked.create.reference
    )
    if isinstance(identity, Doubt):
        ids = list(identity.client_ids)
        text = f"{len(ids)} parties may be this client's: {', '.join(map(str, ids))}; pick one, or create another"
        return PartyPlan(action="hold", hold_reason=identity.why, explanation=text, candidate_ids=ids)
    if isinstance(identity, Adopt):
        return PartyPlan(action="link", party_id=identity.client_id, explanation=f"link: {identity.why}")
    return PartyPlan(action="create", explanation="create the party of this client", create=asked.create)


def plan_digest(plan: ClientPlan, fingerprint: Callable[[bytes], str]) -> str:
    """Return what a plan is known by: equal for two plans that would write the same, and for no others.

    `fingerprint` is the store's keyed one, so that nobody learns the values from the digest.
    """
    content = {
        "action": plan.action,
        "client_id": plan.client_id,
        "writes": [each.model_dump() for each in plan.writes],
        "crm_writes": [each.model_dump() for each in plan.crm_writes],
    }
    return fingerprint(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())


def party_plan_digest(plan: PartyPlan, values: Mapping[str, Value], fingerprint: Callable[[bytes], str]) -> str:
    """Return what a plan for a client without a party is known by. `values` is what the client says now."""
    said = {field: value for field, value in values.items() if value is not None}
    content = {"action": plan.action, "party_id": plan.party_id, "values": said if plan.action == "create" else {}}
    return fingerprint(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())


def _picked(party_id: int, client_id: int, links: Mapping[int, Link]) -> PartyPlan:
    link = links.get(party_id)
    if link is None or link.books_id == str(client_id):
        return PartyPlan(action="link", party_id=party_id, explanation="link: picked by a person")
    text = f"party {party_id} belongs to client {link.books_id}; pick another, or create one"
    return PartyPlan(action="hold", hold_reason="doubtful-match", explanation=text, candidate_ids=[party_id])


def _party(each: PartyCandidate, owners: Mapping[int, str]) -> Candidate:
    return Candidate(
        client_id=each.party_id,
        email=each.email,
        reference=each.reference,
        linked_to=owners.get(each.party_id),
        visible=True,
    )


def _named(writes: Sequence[FieldWrite], crm_writes: Sequence[FieldWrite]) -> str:
    """Return the fields that are written, those of the party with an arrow."""
    return ", ".join([*(each.field for each in writes), *(f"← {each.field}" for each in crm_writes)])


def _creation(asked: PlanClient, create: OpenCreate, template: Template) -> PlannedPass:
    given = {field: value for field, value in asked.party.values.items() if value is not None}
    plan = ClientPlan(
        action="create",
        client_id=None,
        writes=_writes({}, given),
        hold_reason=None,
        explanation=f"create: {', '.join(sorted(given))}",
        mapping_version=template.version,
    )
    return PlannedPass(plan=plan, next_base=dict(asked.party.values), create=create)


def _held(
    template: Template, client_id: int | None, reason: str, text: str, candidate_ids: Sequence[int] = ()
) -> PlannedPass:
    plan = ClientPlan(
        action="hold",
        client_id=client_id,
        writes=[],
        hold_reason=reason,
        explanation=text,
        mapping_version=template.version,
    )
    return PlannedPass(plan=plan, candidate_ids=list(candidate_ids))


def _writes(before: Mapping[str, Value], after: Mapping[str, Value]) -> list[FieldWrite]:
    return [FieldWrite(field=field, before=before.get(field), after=after[field]) for field in sorted(after)]


def _candidate(side: ClientSide, owners: Mapping[int, str]) -> Candidate:
    return Candidate(
        client_id=side.client_id,
        email=_text(side.values.get("email")),
        reference=side.reference,
        linked_to=owners.get(side.client_id),
        visible=side.visible,
    )


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None
