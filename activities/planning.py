"""What a pass would do, decided from both sides. Pure: the same inputs give the same plan."""

from collections.abc import Mapping

from activities.models import ClientSide, OpenCreate, PlanClient, PlannedPass
from mapping.engine import Template
from mapping.identity import Adopt, Candidate, Doubt, choose
from mapping.merge import Merged, merge
from mapping.plan import ClientPlan, FieldWrite
from mapping.values import Value


def plan_for_client(
    asked: PlanClient,
    client: ClientSide,
    base: Mapping[str, Value] | None,
    template: Template,
    *,
    adopted: bool = False,
) -> PlannedPass:
    """Return the plan for a party whose client is known: update it, adopt it, hold, or nothing to do."""
    if not client.exists or not client.visible:
        text = f"client {client.client_id} was deleted in FreshBooks; restore it there, then retry, or skip"
        return _held(template, client.client_id, "conflict", text)
    merged = merge(
        base,
        asked.party.values,
        client.values,
        template.rules,
        crm_changed_at=asked.party.changed_at,
        books_changed_at=client.changed_at,
    )
    if asked.take is not None:
        merged = merged.resolve(asked.take)
    if merged.conflicts:
        text = f"both sides changed: {', '.join(sorted(merged.conflicts))}"
        return _held(template, client.client_id, "conflict", text)
    writes = _writes(client.values, merged.books_writes)
    action = "link" if adopted else "update" if writes else "none"
    plan = ClientPlan(
        action=action,
        client_id=client.client_id,
        writes=writes,
        hold_reason=None,
        explanation=f"{action}: {', '.join(each.field for each in writes) or 'in step'}",
        mapping_version=template.version,
    )
    return PlannedPass(plan=plan, next_base=_next_base(merged), client=client, create=asked.create)


def plan_without_client(asked: PlanClient, owners: Mapping[int, str], template: Template) -> PlannedPass:
    """Return the plan for a party that has no client yet: adopt one, create one, or let a person choose.

    `owners` says which other party each candidate is linked to.
    """
    create = asked.create
    if create is None:
        raise ValueError("a party without a client needs its intent")
    picked = next((each for each in asked.candidates if each.client_id == asked.chosen), None)
    if picked is not None and picked.client_id in owners:
        text = f"client {picked.client_id} belongs to party {owners[picked.client_id]}; pick another, or create one"
        return _held(template, None, "doubtful-match", text)
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
        ids = list(identity.client_ids)
        text = f"{len(ids)} clients may be this party's: {', '.join(map(str, ids))}; pick one, or create another"
        return _held(template, None, identity.why, text).model_copy(update={"candidate_ids": ids})
    if isinstance(identity, Adopt):
        hit = next(each for each in asked.candidates if each.client_id == identity.client_id)
        return plan_for_client(asked, hit, None, template, adopted=True)
    return _creation(asked, create, template)


def _next_base(merged: Merged) -> dict[str, Value]:
    """Return the new base. What the CRM should take over stays as it was: nothing is agreed before it is written."""
    unwritten = merged.crm_writes.keys()
    kept = {field: merged.base[field] for field in unwritten if field in merged.base}
    return {field: value for field, value in merged.next_base().items() if field not in unwritten} | kept


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


def _held(template: Template, client_id: int | None, reason: str, text: str) -> PlannedPass:
    plan = ClientPlan(
        action="hold",
        client_id=client_id,
        writes=[],
        hold_reason=reason,
        explanation=text,
        mapping_version=template.version,
    )
    return PlannedPass(plan=plan)


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
