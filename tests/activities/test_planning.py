"""What a pass would do. Pure: no system, no store."""

from typing import Literal

import pytest

from activities.models import ClientSide, OpenCreate, PartyKey, PartySide, PlanClient
from activities.planning import plan_for_client, plan_without_client
from mapping.engine import Template, load_template
from mapping.plan import FieldWrite
from mapping.values import Value

OURS = "0123456789abcdef"
TEMPLATE = load_template("capsule-freshbooks/clients")
PARTY: dict[str, Value] = {"organization": "Acme", "email": "office@acme.test", "vat_number": "DE1"}


def asked(
    *candidates: ClientSide, in_doubt: bool = False, take: Literal["crm", "books"] | None = None, **decided: object
) -> PlanClient:
    return PlanClient(
        key=PartyKey(connection="acme", party_id=7),
        party=PartySide(exists=True, values=PARTY, fingerprint="f"),
        candidates=list(candidates),
        create=OpenCreate(intent_id=1, reference=OURS, fence=0, in_doubt=in_doubt),
        take=take,
    ).model_copy(update=decided)


def client(client_id: int, reference: str | None = None, **values: Value) -> ClientSide:
    return ClientSide(client_id=client_id, values={**PARTY, **values}, reference=reference)


def blank_client(client_id: int) -> ClientSide:
    """A client with the party's address and nothing else."""
    return ClientSide(client_id=client_id, values={"email": "office@acme.test"})


def test_a_party_that_nobody_knows_is_created_with_what_it_has() -> None:
    """S21."""
    planned = plan_without_client(asked(), {}, TEMPLATE)
    assert planned.plan.action == "create"
    assert FieldWrite(field="organization", before=None, after="Acme") in planned.plan.writes
    assert planned.next_base == PARTY


def test_the_explanation_of_a_plan_names_fields_and_no_values() -> None:
    text = plan_without_client(asked(), {}, TEMPLATE).plan.explanation
    assert "organization" in text
    assert "Acme" not in text


def test_the_one_client_with_the_same_address_is_adopted_and_completed() -> None:
    """F5."""
    plan = plan_without_client(asked(blank_client(5)), {}, TEMPLATE).plan
    assert (plan.action, plan.client_id) == ("link", 5)
    assert [each.field for each in plan.writes] == ["organization", "vat_number"]


def test_an_adopted_client_that_says_the_same_needs_no_write() -> None:
    plan = plan_without_client(asked(client(5)), {}, TEMPLATE).plan
    assert (plan.action, plan.writes) == ("link", [])


def test_two_clients_with_the_address_are_for_a_person_to_tell_apart() -> None:
    """F4."""
    planned = plan_without_client(asked(client(5), client(6)), {}, TEMPLATE)
    assert (planned.plan.action, planned.plan.hold_reason) == ("hold", "doubtful-match")
    assert planned.candidate_ids == [5, 6]


def test_two_clients_with_our_reference_are_a_duplicate_that_a_person_has_to_see() -> None:
    planned = plan_without_client(asked(client(5, OURS), client(6, OURS)), {}, TEMPLATE)
    assert planned.plan.hold_reason == "duplicate-found"


def test_somebody_elses_client_is_left_alone() -> None:
    assert plan_without_client(asked(client(5)), {5: "8"}, TEMPLATE).plan.action == "create"


def test_the_client_that_a_person_picked_is_adopted() -> None:
    plan = plan_without_client(asked(client(5), client(6), chosen=6), {}, TEMPLATE).plan
    assert (plan.action, plan.client_id) == ("link", 6)


def test_picking_somebody_elses_client_is_refused_with_the_reason() -> None:
    plan = plan_without_client(asked(client(5), chosen=5), {5: "8"}, TEMPLATE).plan
    assert (plan.action, plan.hold_reason) == ("hold", "doubtful-match")
    assert "client 5 belongs to party 8" in plan.explanation


def test_a_person_may_want_another_client_in_spite_of_the_candidates() -> None:
    planned = plan_without_client(asked(client(5), client(6), create_anyway=True), {}, TEMPLATE)
    assert planned.plan.action == "create"


def test_another_client_that_a_person_wanted_is_not_created_twice() -> None:
    """F1: the answer to the first create was lost, and the search found what it made."""
    found = asked(client(5), client(6), client(7, OURS), create_anyway=True, in_doubt=True)
    plan = plan_without_client(found, {}, TEMPLATE).plan
    assert (plan.action, plan.client_id) == ("link", 7)


def test_a_change_in_the_crm_alone_is_written_and_nothing_else() -> None:
    """S22."""
    plan = plan_for_client(
        asked(), client(5, organization="Acme Ltd"), {**PARTY, "organization": "Acme Ltd"}, TEMPLATE
    ).plan
    assert plan.action == "update"
    assert plan.writes == [FieldWrite(field="organization", before="Acme Ltd", after="Acme")]


def test_two_sides_that_agree_need_nothing() -> None:
    """F20: our own write comes back as a change."""
    plan = plan_for_client(asked(), client(5), PARTY, TEMPLATE).plan
    assert (plan.action, plan.writes, plan.explanation) == ("none", [], "none: in step")


def test_an_edit_made_only_in_the_books_stays_where_the_mapping_is_one_way() -> None:
    """F21."""
    plan = plan_for_client(asked(), client(5, p_city="Kiel"), PARTY, TEMPLATE.one_way()).plan
    assert plan.action == "none"


def test_an_edit_made_only_in_the_books_goes_to_the_crm() -> None:
    """F21, Z10."""
    plan = plan_for_client(asked(), client(5, p_city="Kiel"), PARTY, TEMPLATE).plan
    assert (plan.action, plan.writes) == ("update", [])
    assert [(each.field, each.after) for each in plan.crm_writes] == [("p_city", "Kiel")]


def test_what_such_a_party_cannot_take_over_stays_in_the_books() -> None:
    """S37: the name of a person's employer is the employer's own."""
    one_way = asked(party=PartySide(exists=True, values=PARTY, fingerprint="f", books_only=["organization"]))
    plan = plan_for_client(one_way, client(5, organization="Acme & Sons"), PARTY, TEMPLATE).plan
    assert plan.action == "none"


def test_a_client_without_a_party_that_looks_alike_waits_for_a_person() -> None:
    """F4, Z80: "Acme Ltd" and "Acme Limited" are not two customers without being asked."""
    party = PartySide(exists=True, is_organisation=True, values={"organization": "Acme Ltd"}, fingerprint="f")
    alike = ClientSide(client_id=5, values={"organization": "Acme Limited", "email": "office@acme.test"})
    planned = plan_without_client(asked(alike, party=party), {}, TEMPLATE)
    assert (planned.plan.action, planned.plan.hold_reason) == ("hold", "doubtful-match")
    assert planned.candidate_ids == [5]


def test_a_client_of_another_party_is_no_doubt_however_alike() -> None:
    party = PartySide(exists=True, is_organisation=True, values={"organization": "Acme Ltd"}, fingerprint="f")
    alike = ClientSide(client_id=5, values={"organization": "Acme Limited"})
    assert plan_without_client(asked(alike, party=party), {5: "8"}, TEMPLATE).plan.action == "create"


def test_a_client_with_the_same_tax_number_is_the_partys() -> None:
    """Z80."""
    party = PartySide(
        exists=True,
        is_organisation=True,
        values={"organization": "Acme Ltd", "vat_number": "DE811907980"},
        fingerprint="f",
    )
    same = ClientSide(client_id=5, values={"organization": "Acme Group", "vat_number": "DE811907980"})
    assert plan_without_client(asked(same, party=party), {}, TEMPLATE).plan.action == "link"


def test_a_tax_number_changed_on_both_sides_is_a_conflict_for_a_person() -> None:
    """S55."""
    plan = plan_for_client(asked(), client(5, vat_number="DE2"), {**PARTY, "vat_number": "DE0"}, TEMPLATE).plan
    assert (plan.action, plan.hold_reason) == ("hold", "conflict")
    assert plan.explanation == "both sides changed: vat_number"


@pytest.mark.parametrize(("take", "writes"), [("crm", ["vat_number"]), ("books", [])])
def test_a_person_settles_a_conflict_for_one_side(take: Literal["crm", "books"], writes: list[str]) -> None:
    base: dict[str, Value] = {**PARTY, "vat_number": "DE0"}
    plan = plan_for_client(asked(take=take), client(5, vat_number="DE2"), base, TEMPLATE).plan
    assert [each.field for each in plan.writes] == writes


def test_a_conflict_settled_for_the_books_does_not_come_back() -> None:
    base: dict[str, Value] = {**PARTY, "vat_number": "DE0"}
    settled = plan_for_client(asked(take="books"), client(5, vat_number="DE2"), base, TEMPLATE)
    assert [(each.field, each.after) for each in settled.plan.crm_writes] == [("vat_number", "DE2")]
    taken_over = asked(party=PartySide(exists=True, values={**PARTY, "vat_number": "DE2"}, fingerprint="f"))
    assert plan_for_client(taken_over, client(5, vat_number="DE2"), settled.final_base, TEMPLATE).plan.action == "none"


def test_a_client_deleted_in_freshbooks_waits_for_a_person() -> None:
    """F18, F19."""
    plan = plan_for_client(asked(), ClientSide(client_id=5, visible=False), PARTY, TEMPLATE).plan
    assert (plan.action, plan.hold_reason) == ("hold", "conflict")
    assert "client 5 was deleted" in plan.explanation


def test_what_is_not_yet_written_to_the_crm_is_not_agreed_either() -> None:
    """F21: an edit in the books must not be taken back later as if the CRM had changed it."""
    both = Template("capsule-test", {"fname": {"from": "firstName", "direction": "both"}, "email": {"from": "title"}})
    planned = plan_for_client(asked(), client(5, fname="Bo"), {**PARTY, "fname": None}, both)
    assert [each.field for each in planned.plan.crm_writes] == ["fname"]
    assert planned.next_base["fname"] is None
    assert planned.final_base["fname"] == "Bo"
