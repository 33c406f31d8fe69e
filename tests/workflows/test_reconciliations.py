"""Both sides are compared in full: what differs is found once, nothing is invented, and a sync mends it on request."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from activities.reconciliation_models import ListedPage, ListPage
from runtime.queues import WORKFLOW_QUEUE
from store.reconciliation_models import ReportHead
from tests.activities.plans import link
from tests.sandboxes import Firm
from tests.workflows.office import Office, until
from workflows.reconciliation_models import ReconciliationRequest, ReconciliationResult, RoundRequest
from workflows.reconciliation_rounds import ReconciliationRound
from workflows.reconciliations import Reconciliation

PER_PAGE = 100


def _mail(name: str) -> list[dict[str, str]]:
    return [{"type": "Work", "address": f"office@{name.lower()}.test"}]


async def _pair(firm: Firm, name: str) -> tuple[int, int]:
    party_id = await firm.new_party(name=name, emailAddresses=_mail(name))
    client_id = await firm.new_client(organization=name, email=f"office@{name.lower()}.test", currency_code="EUR")
    await link(firm, party_id, client_id)
    return party_id, client_id


class Clerk:
    """Asks for reports, and reads them."""

    def __init__(self, office: Office) -> None:
        self.office, self.firm, self._begun = office, office.firm, 0

    async def begin(self, *, repair: bool = False) -> "WorkflowHandle[Reconciliation, ReconciliationResult]":
        """Start a comparison."""
        self._begun += 1
        return await self.office.temporal.start_workflow(
            Reconciliation.run,
            ReconciliationRequest(connection=self.firm.name, repair=repair),
            id=f"reconciliation/{self.firm.name}/clients",
            task_queue=WORKFLOW_QUEUE,
        )

    async def report(self, *, repair: bool = False) -> ReportHead:
        """Make a report to its end."""
        result = await asyncio.wait_for((await self.begin(repair=repair)).result(), 30)
        head = await self.firm.store.reconciliations.head(result.report_id)
        assert head is not None
        return head


@pytest.fixture
def clerk(office: Office) -> Clerk:
    """Systems cannot tell us of changes, so no webhook is missing."""
    firm = office.firm
    unreachable = firm.settings.receiver.model_copy(update={"public_url": None})
    firm.settings = firm.settings.model_copy(update={"receiver": unreachable})
    firm.__post_init__()
    return Clerk(office)


async def test_planted_differences_are_found_and_repairing_brings_both_sides_in_step(clerk: Clerk) -> None:
    """S30, S31, S33."""
    firm = clerk.firm
    await _pair(firm, "North")
    south, client_id = await _pair(firm, "South")
    alone = await firm.new_party(name="Alone", emailAddresses=_mail("alone"))
    await firm.change_party(south, phoneNumbers=[{"type": "Work", "number": "+44 20 7946 0000"}])
    await asyncio.sleep(1.05)
    for party_id in (alone, south):
        clerk.office.expect(party_id)
    async with clerk.office.working():
        found = await clerk.report()
        assert found.counts == {"missing-right": 1, "field-drift": 1}
        assert firm.client(client_id)["bus_phone"] == ""
        repairing = await clerk.report(repair=True)
        for party_id in (alone, south):
            await clerk.office.result(party_id)
        after = await clerk.report()
    assert repairing.repaired == 2
    assert repairing.content_hash == found.content_hash
    assert (after.counts, after.in_step, after.is_complete) == ({}, 3, True)
    assert firm.client(client_id)["bus_phone"] == "+44 20 7946 0000"


async def test_a_run_that_was_killed_at_any_page_comes_to_the_same_report(clerk: Clerk) -> None:
    """The pages that were read are not read again, also where the run itself was ended and begun anew."""
    firm = clerk.firm
    for number in range(PER_PAGE + 20):
        await firm.new_party(name=f"Firm {number}", emailAddresses=_mail(f"firm{number}"))
    await asyncio.sleep(1.05)
    bound: dict[str, Callable[..., Any]] = {each.__name__: each for queue in firm.queues for each in queue.activities}
    dead = asyncio.Event()

    @activity.defn(name="list_parties")
    async def dies_at_page_two(asked: ListPage) -> ListedPage:
        if asked.page == 2:
            dead.set()
            raise ApplicationError("the worker is gone")
        listed: ListedPage = await bound["list_parties"](asked)
        return listed

    async with clerk.office.working({"list_parties": dies_at_page_two}):
        killed = await clerk.begin()
        await asyncio.wait_for(dead.wait(), 20)
        await killed.terminate()
    before = firm.calls("GET", "/parties")
    async with clerk.office.working():
        resumed = await clerk.report()
        pages_of_the_rest = firm.calls("GET", "/parties") - before
        undisturbed = await clerk.report()
    assert pages_of_the_rest == 1
    assert resumed.counts == {"missing-right": PER_PAGE + 20}
    assert resumed.content_hash == undisturbed.content_hash
    assert [(each.records, each.pages) for each in resumed.sides] == [(PER_PAGE + 20, 2), (0, 2)]


async def test_a_list_that_a_system_refuses_ends_in_a_report_that_says_so(clerk: Clerk) -> None:
    @activity.defn(name="list_parties")
    async def refuses(asked: ListPage) -> ListedPage:
        raise ApplicationError("Capsule refused to list parties", type="Refused", non_retryable=True)

    async with clerk.office.working({"list_parties": refuses}):
        with pytest.raises(WorkflowFailureError):
            await clerk.report()
    (head,) = await clerk.firm.store.reconciliations.heads(clerk.firm.name, None, 10)
    assert (head.state, head.explanation) == ("failed", "Capsule refused to list parties")


async def test_rows_that_move_while_pages_are_read_are_read_again(clerk: Clerk) -> None:
    """F16: a party that was deleted between two pages hides another, which is not missing for that."""
    firm = clerk.firm
    ids = [
        await firm.new_party(name=f"Firm {number}", emailAddresses=_mail(f"firm{number}"))
        for number in range(PER_PAGE + 1)
    ]
    await asyncio.sleep(1.05)
    bound: dict[str, Callable[..., Any]] = {each.__name__: each for queue in firm.queues for each in queue.activities}

    @activity.defn(name="list_parties")
    async def deletes_after_page_one(asked: ListPage) -> ListedPage:
        listed: ListedPage = await bound["list_parties"](asked)
        if asked.page == 1 and ids:
            await firm.delete_party(ids[0])
            ids.clear()
        return listed

    async with clerk.office.working({"list_parties": deletes_after_page_one}):
        head = await clerk.report()
    assert head.is_complete
    assert head.counts == {"missing-right": PER_PAGE}
    assert head.sides[0].records == PER_PAGE


async def test_a_person_who_cancels_gives_the_report_up(clerk: Clerk) -> None:
    listing = asyncio.Event()

    @activity.defn(name="list_parties")
    async def never_ends(asked: ListPage) -> ListedPage:
        listing.set()
        raise ApplicationError("not yet")

    async with clerk.office.working({"list_parties": never_ends}):
        handle = await clerk.begin()
        await asyncio.wait_for(listing.wait(), 20)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await asyncio.wait_for(handle.result(), 20)

    async def given_up() -> bool:
        (head,) = await clerk.firm.store.reconciliations.heads(clerk.firm.name, "clients", 10)
        return head.state == "given-up"

    await until(given_up)


async def test_webhooks_that_are_missing_are_in_the_report_of_the_round_that_a_schedule_starts(office: Office) -> None:
    """S33: changes that nobody tells us of are a gap."""
    firm = office.firm
    async with office.working():
        result = await office.temporal.execute_workflow(
            ReconciliationRound.run,
            RoundRequest(connection=firm.name),
            id=f"reconciliation/{firm.name}",
            task_queue=WORKFLOW_QUEUE,
        )
    found = await firm.store.reconciliations.mismatches(result.report_ids[0])
    assert {each.kind for each in found} == {"stale-hook"}
    assert "freshbooks client" in {each.name for each in found}
