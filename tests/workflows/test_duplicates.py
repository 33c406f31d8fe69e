"""Creates left open, and two records that carry one mark of ours."""

from datetime import UTC, datetime, timedelta

import time_machine

from runtime.queues import WORKFLOW_QUEUE
from tests.sandboxes import Firm
from tests.workflows.office import Office, until
from workflows.duplicates import DuplicateCheck, OpenIntents
from workflows.models import (
    ConnectionRequest,
    DuplicateCheckRequest,
    DuplicateCheckResult,
    Resolution,
    SearchLagRequest,
)
from workflows.search_lag import SearchLag


async def check(office: Office) -> DuplicateCheckResult:
    """Run the nightly check."""
    return await office.temporal.execute_workflow(
        DuplicateCheck.run,
        DuplicateCheckRequest(connection=office.firm.name),
        id=f"duplicate-check/{office.firm.name}",
        task_queue=WORKFLOW_QUEUE,
    )


async def copied(firm: Firm, client_id: int) -> int:
    """Enter a client with the note of another one, as a person does who copies it."""
    return await firm.new_client(organization="Copy", note=str(firm.client(client_id)["note"]))


async def test_clients_with_marks_of_their_own_are_no_duplicates(office: Office, firm: Firm) -> None:
    async with office.working():
        for name in ("Acme", "Globex"):
            await office.sync(await firm.new_party(name=name))
        found = await check(office)
    assert (found.read, found.twice) == (2, 0)


async def test_two_clients_with_one_mark_are_reported_once_and_settled_when_one_is_gone(
    office: Office, firm: Firm
) -> None:
    """F1, F8: found at night, repaired by a person, never by deleting something."""
    async with office.working():
        client_id = (await office.sync(await firm.new_party(name="Acme"))).client_id or 0
        copy = await copied(firm, client_id)
        assert (await check(office)).twice == 1
        hold = await office.hold_listed(f"freshbooks {client_id} {copy}")
        assert hold.reason == "duplicate-found"
        await check(office)  # the next night: the same incident
        assert len(await firm.store.holds.listed()) == 1
        incident = office.temporal.get_workflow_handle(hold.workflow_id)
        await incident.execute_update("resolve", Resolution(choice="retry"))
        await office.hold_listed(f"freshbooks {client_id} {copy}")  # both are still there
        await firm.change_client(copy, vis_state=1)
        await incident.execute_update("resolve", Resolution(choice="retry"))
        assert await incident.result() == "resolved"
        assert (await check(office)).twice == 0
    assert len(firm.clients()) == 2


async def test_a_double_mark_that_a_person_accepts_is_not_reported_again(office: Office, firm: Firm) -> None:
    """S29."""
    async with office.working():
        client_id = (await office.sync(await firm.new_party(name="Acme"))).client_id or 0
        copy = await copied(firm, client_id)
        await check(office)
        hold = await office.hold_listed(f"freshbooks {client_id} {copy}")
        incident = office.temporal.get_workflow_handle(hold.workflow_id)
        await incident.execute_update("resolve", Resolution(choice="skip"))
        assert await incident.result() == "accepted"
        assert (await check(office)).twice == 0


async def test_a_create_that_was_left_open_is_taken_up_again(office: Office, firm: Firm) -> None:
    """S49: whatever left it open, the hourly look finishes it."""
    party_id = await firm.new_party()
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=16), tick=True):
        await firm.store.intents.reserve(firm.record_key(party_id))
    request = ConnectionRequest(connection=firm.name)
    async with office.working():
        office.expect(party_id)
        count = await office.temporal.execute_workflow(
            OpenIntents.run, request, id=f"open-intents/{firm.name}", task_queue=WORKFLOW_QUEUE
        )
        assert count == 1
        assert (await office.result(party_id)).outcome == "created"


async def test_how_long_a_search_lags_is_measured(office: Office, firm: Firm) -> None:
    """F1: nobody publishes it."""
    async with office.working():
        party_id = await firm.new_party()
        client_id = (await office.sync(party_id)).client_id or 0
        request = SearchLagRequest(
            connection=firm.name,
            party_id=party_id,
            client_id=client_id,
            reference=firm.store.intents.reference(firm.record_key(party_id)),
            created_at=datetime.now(UTC),
        )
        measured = await office.temporal.execute_workflow(
            SearchLag.run, request, id=f"search-lag/{firm.name}", task_queue=WORKFLOW_QUEUE
        )

    async def noted() -> bool:
        return await firm.store.lags.count(firm.name, "freshbooks") == 1

    await until(noted)
    assert measured.seconds is not None
    assert 0.5 <= measured.seconds < 10
