"""Updating a client, and saving what both sides agree on."""

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.models import OpenHold
from mapping.reference import split_note
from tests.activities.steps import create, created, planned, read_client, standing, update
from tests.sandboxes import Firm


async def test_only_the_fields_that_changed_are_written(firm: Firm) -> None:
    """S22: what a bookkeeper added stays."""
    party_id, client_id = await created(firm, name="Acme Ltd")
    await firm.change_client(client_id, p_city="Kiel")
    await firm.change_party(party_id, name="Acme & Sons")
    write = await planned(firm, party_id)
    assert [each.field for each in write.writes] == ["organization"]
    await update(firm, write)
    assert (firm.client(client_id)["organization"], firm.client(client_id)["p_city"]) == ("Acme & Sons", "Kiel")


async def test_an_edit_in_the_books_since_the_plan_was_made_is_not_taken_for_seen(firm: Firm) -> None:
    """S49: while the CRM was away for a day a bookkeeper went on; the next look has to find that."""
    party_id, client_id = await created(firm, name="Acme Ltd")
    await firm.change_party(party_id, name="Acme & Sons")
    write = await planned(firm, party_id)
    await firm.change_client(client_id, p_city="Kiel")
    await update(firm, write)
    assert (await standing(firm, party_id)).books_seen == ""


async def test_an_update_that_met_nobody_else_comes_back_as_no_news(firm: Firm) -> None:
    """F18: our own write is an echo."""
    party_id, client_id = await created(firm, name="Acme Ltd")
    await firm.change_party(party_id, name="Acme & Sons")
    await update(firm, await planned(firm, party_id))
    assert (await standing(firm, party_id)).books_seen == (await read_client(firm, client_id)).fingerprint


async def test_an_update_never_touches_the_visibility_of_a_client(firm: Firm) -> None:
    """F18: with `vis_state` in it, FreshBooks would drop every other field."""
    party_id, client_id = await created(firm, name="Acme Ltd")
    await firm.change_client(client_id, vis_state=2)
    await firm.change_party(party_id, name="Acme & Sons")
    await update(firm, await planned(firm, party_id))
    assert (firm.client(client_id)["organization"], firm.client(client_id)["vis_state"]) == ("Acme & Sons", 2)


async def test_a_new_note_keeps_our_reference_on_its_last_line(firm: Firm) -> None:
    party_id, client_id = await created(firm, about="Pays by card")
    _, reference = split_note(firm.client(client_id)["note"])
    await firm.change_party(party_id, about="Pays in cash")
    await update(firm, await planned(firm, party_id))
    assert firm.client(client_id)["note"] == f"Pays in cash\n[ledgerline {reference}]"


async def test_an_emptied_field_is_emptied_on_the_other_side(firm: Firm) -> None:
    party_id, client_id = await created(firm, about="Pays by card")
    await firm.change_party(party_id, about=None)
    await update(firm, await planned(firm, party_id))
    assert split_note(firm.client(client_id)["note"])[0] is None


async def test_the_same_update_twice_leaves_the_client_as_once(firm: Firm) -> None:
    party_id, client_id = await created(firm, name="Acme Ltd")
    await firm.change_party(party_id, name="Acme & Sons")
    write = await planned(firm, party_id)
    assert await update(firm, write) == await update(firm, write) == client_id
    assert (await planned(firm, party_id)).writes == []


async def test_an_update_that_is_cut_off_can_simply_be_repeated(firm: Firm) -> None:
    """S27: Temporal repeats it."""
    party_id, client_id = await created(firm, name="Acme Ltd")
    await firm.change_party(party_id, name="Acme & Sons")
    write = await planned(firm, party_id)
    firm.books_fault(method="PUT", fault="commit_then_cut", times=1)
    with pytest.raises(ApplicationError) as caught:
        await update(firm, write)
    assert (caught.value.type, caught.value.non_retryable) == ("Unavailable", False)
    assert await update(firm, write) == client_id


async def test_the_audit_log_says_which_fields_were_written_and_why(firm: Firm) -> None:
    """S44."""
    party_id, _ = await created(firm, name="Acme Ltd")
    await firm.change_party(party_id, name="Acme & Sons")
    await update(firm, await planned(firm, party_id))
    newest = (await firm.store.audit.latest(1))[0]
    assert (newest.action, newest.fields, newest.cause) == ("update", ("organization",), "a test")


async def test_after_an_adoption_both_sides_are_in_step(firm: Firm) -> None:
    email = [{"address": "office@acme.test"}]
    client_id = await firm.new_client(organization="Acme", email="office@acme.test")
    party_id = await firm.new_party(name="Acme", emailAddresses=email)
    write = await planned(firm, party_id, await read_client(firm, client_id))
    await ActivityEnvironment().run(firm.passes.settle_link, write)
    assert (await standing(firm, party_id)).client_id == client_id
    assert (await firm.store.audit.latest(1))[0].action == "adopt"


async def test_a_client_can_be_linked_to_one_party_only(firm: Firm) -> None:
    """F20: two records of one side on one of the other would update each other for ever."""
    party_id, client_id = await created(firm)
    other = await planned(firm, await firm.new_party())
    stolen = other.model_copy(update={"client_id": client_id})
    with pytest.raises(ApplicationError) as caught:
        await ActivityEnvironment().run(firm.passes.settle_link, stolen)
    assert caught.value.type == "LookAgain"
    assert (await standing(firm, party_id)).client_id == client_id


async def test_settling_without_news_writes_nothing_into_the_audit_log(firm: Firm) -> None:
    party_id, _ = await created(firm)
    await ActivityEnvironment().run(firm.passes.settle_link, await planned(firm, party_id))
    assert [line.action for line in await firm.store.audit.latest(10)] == ["create"]


async def test_a_create_needs_its_intent_and_an_update_its_client(firm: Firm) -> None:
    write = await planned(firm, await firm.new_party())
    with pytest.raises(ValueError, match="needs its intent"):
        await create(firm, write.model_copy(update={"create": None}))
    with pytest.raises(ValueError, match="needs the client's id"):
        await update(firm, write)


async def test_a_pass_knows_what_was_last_seen_and_by_which_mapping(firm: Firm) -> None:
    party_id, _ = await created(firm)
    began = await standing(firm, party_id)
    assert began.crm_seen == (await firm.read_party(party_id)).fingerprint
    assert began.mapping_version == began.current_mapping
    assert began.create is None


async def test_a_hold_is_listed_until_it_is_closed(firm: Firm) -> None:
    """S46."""
    hold = OpenHold(key=firm.key(7), reason="conflict", evidence={"explanation": "both sides changed: vat_number"})
    await ActivityEnvironment().run(firm.passes.open_hold, hold)
    await ActivityEnvironment().run(firm.passes.open_hold, hold)
    (listed,) = await firm.store.holds.listed()
    assert (listed.connection, listed.record_id, listed.reason) == (firm.name, "7", "conflict")
    await ActivityEnvironment().run(firm.passes.close_hold)
    assert await firm.store.holds.listed() == []
