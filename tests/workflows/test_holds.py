"""What a machine must not decide waits for a person, and goes on as the person decides."""

import asyncio
from datetime import timedelta
from typing import Literal

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError

import workflows.options
from tests.sandboxes import Firm
from tests.workflows.office import Office
from tests.workflows.test_clients import SlowReading
from workflows.models import Choice, Resolution
from workflows.search_attributes import HELD, HOLD_REASON, IN_STEP, SYNC_STATE

OFFICE = [{"address": "office@acme.test"}]
TOO_LONG = "Acme " * 60
VAT = 731


def vat(number: str) -> list[dict[str, object]]:
    return [{"definition": {"id": VAT}, "value": number}]


async def doubtful(office: Office, firm: Firm) -> tuple[int, list[int]]:
    """Enter a party that two clients may be, and wait for the hold."""
    clients = [await firm.new_client(organization=name, email="office@acme.test") for name in ("North", "South")]
    party_id = await firm.new_party(name="Acme Ltd", emailAddresses=OFFICE)
    await office.announce(party_id)
    assert (await office.hold(party_id)).reason == "doubtful-match"
    return party_id, clients


async def conflict(office: Office, firm: Firm) -> int:
    """Let both sides change a tax number, and wait for the hold."""
    party_id = await firm.new_party(name="Acme Ltd", fields=vat("DE1"))
    client_id = (await office.sync(party_id)).client_id or 0
    await firm.change_client(client_id, vat_number="DE3")
    (row,) = [each for each in firm.party(party_id)["fields"] if each["definition"]["id"] == VAT]
    await firm.change_party(party_id, fields=[{**row, "value": "DE2"}])
    await office.announce(party_id)
    assert (await office.hold(party_id)).reason == "conflict"
    return party_id


async def rejected(office: Office, firm: Firm) -> int:
    """Enter a party that FreshBooks refuses, and wait for the hold."""
    party_id = await firm.new_party(name=TOO_LONG[:250])
    firm.edit_party(party_id, name=TOO_LONG)
    await office.announce(party_id)
    assert (await office.hold(party_id)).reason == "rejected"
    return party_id


async def test_two_clients_with_the_partys_address_wait_for_a_person(office: Office, firm: Firm) -> None:
    """F4."""
    async with office.working():
        party_id, _ = await doubtful(office, firm)
        await office.state(party_id, SYNC_STATE, HELD)
        assert await office.shows(party_id, HOLD_REASON) == "doubtful-match"
    assert len(firm.clients()) == 2


async def test_a_person_picks_one_of_them(office: Office, firm: Firm) -> None:
    async with office.working():
        party_id, (_, south) = await doubtful(office, firm)
        assert await office.resolve(party_id, Resolution(choice="pick", client_id=south)) == "resolved: pick"
        result = await office.result(party_id)
    assert (result.outcome, result.client_id) == ("adopted", south)
    assert [each["organization"] for each in firm.clients()] == ["North", "Acme Ltd"]
    assert await firm.store.holds.listed() == []
    assert await office.shows(party_id, SYNC_STATE) == IN_STEP
    assert await office.shows(party_id, HOLD_REASON) is None


async def test_a_person_picks_a_client_that_no_search_could_find(office: Office, firm: Firm) -> None:
    other = await firm.new_client(organization="Acme, formerly", email="old@acme.test")
    async with office.working():
        party_id, _ = await doubtful(office, firm)
        await office.resolve(party_id, Resolution(choice="pick", client_id=other))
        result = await office.result(party_id)
    assert (result.outcome, result.client_id) == ("adopted", other)


async def test_a_client_of_another_party_cannot_be_picked(office: Office, firm: Firm) -> None:
    async with office.working():
        theirs = (await office.sync(await firm.new_party(name="Borg AB"))).client_id or 0
        party_id, _ = await doubtful(office, firm)
        opened = (await office.hold(party_id)).opened_at
        await office.resolve(party_id, Resolution(choice="pick", client_id=theirs))
        assert (await office.held_anew(party_id, opened)).reason == "doubtful-match"
    assert firm.client(theirs)["organization"] == "Borg AB"


async def test_a_person_has_a_third_client_created(office: Office, firm: Firm) -> None:
    async with office.working():
        party_id, _ = await doubtful(office, firm)
        await office.resolve(party_id, Resolution(choice="create"))
        assert (await office.result(party_id)).outcome == "created"
    assert [each["organization"] for each in firm.clients()] == ["North", "South", "Acme Ltd"]


async def test_a_person_leaves_it_as_it_is(office: Office, firm: Firm) -> None:
    async with office.working():
        party_id, _ = await doubtful(office, firm)
        await office.resolve(party_id, Resolution(choice="skip"))
        assert (await office.result(party_id)).outcome == "skipped"
    assert len(firm.clients()) == 2


async def test_a_person_mends_it_in_freshbooks_and_has_it_tried_again(office: Office, firm: Firm) -> None:
    """F2."""
    async with office.working():
        party_id, (north, south) = await doubtful(office, firm)
        await firm.change_client(north, vis_state=1)
        await office.resolve(party_id, Resolution(choice="retry"))
        assert (await office.result(party_id)).client_id == south


@pytest.mark.parametrize(("side", "number"), [("crm", "DE2"), ("books", "DE3")])
async def test_a_person_settles_a_conflict_for_one_side(
    office: Office, firm: Firm, side: Literal["crm", "books"], number: str
) -> None:
    """S55."""
    async with office.working():
        party_id = await conflict(office, firm)
        await office.resolve(party_id, Resolution(choice=side))
        await office.result(party_id)
    assert [each["vat_number"] for each in firm.clients()] == [number]


async def test_a_conflict_with_the_picked_client_does_not_ask_for_the_client_again(office: Office, firm: Firm) -> None:
    async with office.working():
        party_id, (north, _) = await doubtful(office, firm)
        await firm.change_party(party_id, fields=vat("DE1"))
        await firm.change_client(north, vat_number="DE3")
        opened = (await office.hold(party_id)).opened_at
        await office.resolve(party_id, Resolution(choice="pick", client_id=north))
        assert (await office.held_anew(party_id, opened)).reason == "conflict"
        await office.resolve(party_id, Resolution(choice="crm"))
        assert (await office.result(party_id)).client_id == north
    assert firm.client(north)["vat_number"] == "DE1"


async def test_what_freshbooks_refuses_is_not_sent_again_and_again(office: Office, firm: Firm) -> None:
    """S28: every sweep announces the party, and it is still the same."""
    async with office.working():
        party_id = await rejected(office, firm)
        hold, readings = await office.hold(party_id), firm.calls("GET", "/parties/{ids}")
        await office.announce(party_id, cause="sweep", rank=3)
        await office.called("GET", "/parties/{ids}", readings + 1)
        await office.resolve(party_id, Resolution(choice="skip"))
        await office.result(party_id)
    assert hold.reason == "rejected"
    assert firm.calls("POST", "/clients") == 1


async def test_a_correction_in_capsule_cures_a_refusal_by_itself(office: Office, firm: Firm) -> None:
    """S28, F19."""
    async with office.working():
        party_id = await rejected(office, firm)
        await firm.change_party(party_id, name="Acme Ltd")
        await office.announce(party_id)
        result = await office.result(party_id)
    assert result.outcome == "created"
    assert [each["organization"] for each in firm.clients()] == ["Acme Ltd"]
    assert await firm.store.holds.listed() == []


async def test_a_correction_that_does_not_help_is_held_again(office: Office, firm: Firm) -> None:
    """S28: one further request, not a storm of them."""
    async with office.working():
        party_id = await rejected(office, firm)
        opened = (await office.hold(party_id)).opened_at
        firm.edit_party(party_id, name=TOO_LONG + "Ltd")
        await office.announce(party_id)
        await office.held_anew(party_id, opened)
        await office.resolve(party_id, Resolution(choice="skip"))
        await office.result(party_id)
    assert firm.calls("POST", "/clients") == 2


async def test_a_party_that_cannot_be_mapped_is_held_until_it_can(office: Office, firm: Firm) -> None:
    """S28, S54."""
    party_id = await firm.new_party(addresses=[{"type": "Office", "country": "Germany"}])
    (row,) = firm.party(party_id)["addresses"]
    firm.edit_party(party_id, addresses=[{**row, "country": "Atlantis"}])
    async with office.working():
        await office.announce(party_id)
        assert (await office.hold(party_id)).reason == "rejected"
        await office.announce(party_id, cause="sweep", rank=3)
        await firm.change_party(party_id, addresses=[{"id": row["id"], "country": "Germany"}])
        await office.announce(party_id)
        assert (await office.result(party_id)).outcome == "created"


async def test_a_client_deleted_in_freshbooks_is_for_a_person(office: Office, firm: Firm) -> None:
    """F18, F19."""
    party_id = await firm.new_party(name="Acme Ltd")
    async with office.working():
        client_id = (await office.sync(party_id)).client_id or 0
        await firm.change_client(client_id, vis_state=1)
        await firm.change_party(party_id, name="Acme & Sons")
        await office.announce(party_id)
        assert (await office.hold(party_id)).reason == "conflict"
        await firm.change_client(client_id, vis_state=0)
        await office.announcer.client_changed(firm.name, str(client_id), "freshbooks webhook client.update", 2)
        assert (await office.result(party_id)).outcome == "updated"
    assert firm.client(client_id)["organization"] == "Acme & Sons"


async def test_nothing_can_be_decided_where_nothing_is_held(office: Office, firm: Firm) -> None:
    party_id, slow = await firm.new_party(), SlowReading(firm)
    async with office.working({"read_party": slow.read_party}):
        await office.announce(party_id)
        await slow.begun.wait()
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await office.resolve(party_id, Resolution(choice="skip"))
        slow.go_on.set()
        assert (await office.result(party_id)).outcome == "created"
    assert "nothing is held here" in str(caught.value.cause)


async def test_whoever_picks_has_to_say_which_client(office: Office, firm: Firm) -> None:
    async with office.working():
        party_id, _ = await doubtful(office, firm)
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await office.resolve(party_id, Resolution(choice="pick"))
    assert "say which client" in str(caught.value.cause)


async def test_of_two_people_who_decide_at_once_only_one_is_told_that_it_was_done(office: Office, firm: Firm) -> None:
    async with office.working():
        party_id, _ = await doubtful(office, firm)
        decisions = [office.resolve(party_id, Resolution(choice="skip")) for _ in range(2)]
        answers = await asyncio.gather(*decisions, return_exceptions=True)
        await office.result(party_id)
    assert [each for each in answers if isinstance(each, str)] == ["resolved: skip"]


async def test_a_hold_outlives_the_worker(office: Office, firm: Firm) -> None:
    """F41."""
    async with office.working():
        party_id, (north, _) = await doubtful(office, firm)
    async with office.working(remember=False):
        await office.resolve(party_id, Resolution(choice="pick", client_id=north))
        assert (await office.result(party_id)).client_id == north


async def test_a_cancelled_sync_waits_for_nobody_any_more(office: Office, firm: Firm) -> None:
    async with office.working():
        party_id, _ = await doubtful(office, firm)
        await office.workflow(party_id).cancel()
        with pytest.raises(WorkflowFailureError):
            await office.result(party_id)
    assert await firm.store.holds.listed() == []


async def test_a_hold_that_is_tried_for_weeks_goes_on_as_a_new_run(office: Office, firm: Firm) -> None:
    """F42: a history has an end."""
    async with office.working():
        party_id, (north, _) = await doubtful(office, firm)
        first = (await office.workflow(party_id).describe()).run_id
        for _ in range(9):
            opened = (await office.hold(party_id)).opened_at
            await office.announce(party_id, cause="Ida asked", rank=1)
            await office.held_anew(party_id, opened)
        assert (await office.workflow(party_id).describe()).run_id != first
        await office.resolve(party_id, Resolution(choice="pick", client_id=north))
        assert (await office.result(party_id)).client_id == north


async def test_a_connection_without_consent_waits_for_a_person(
    office: Office, firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Z113: after three months, here after a second; until then the hold of the account stands for all of them."""
    patience = {**workflows.options.API_CALL, "schedule_to_close_timeout": timedelta(seconds=1)}
    monkeypatch.setattr(workflows.options, "API_CALL", patience)
    party_id = await firm.new_party()
    firm.crm_fault(fault="status", status=401)
    async with office.working():
        await office.announce(party_id)
        assert (await office.hold(party_id)).reason == "needs-consent"
        firm.end_faults()
        await firm.store.tokens.try_again(firm.name, "capsule")
        await office.resolve(party_id, Resolution(choice="retry"))
        assert (await office.result(party_id)).outcome == "created"


def test_a_picked_client_stands_until_another_is_wanted() -> None:
    picked = Choice().after(Resolution(choice="pick", client_id=5))
    assert picked.after(Resolution(choice="crm")) == Choice(client_id=5, side="crm")
    assert picked.after(Resolution(choice="create")) == Choice(create=True)


def test_a_side_counts_for_one_attempt_only() -> None:
    """What has changed again since is another conflict."""
    assert Choice(side="crm").after(Resolution(choice="retry")) == Choice()
