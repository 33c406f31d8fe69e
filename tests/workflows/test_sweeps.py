"""The sweep lists what changed, page by page, and moves its cursor only when all of it has been announced."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from temporalio import activity
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from activities.sweep_models import SweepPage, SweptPage
from runtime.queues import WORKFLOW_QUEUE
from tests.attended import attended
from tests.sandboxes import Firm
from tests.workflows.office import Office
from workflows.models import Resolution, SweepRequest, SweepResult
from workflows.sweeps import BACKFILL, MOST_PASSES, PARTIES, PartySweep

RUNS = itertools.count(1)


class Pages:
    """Stands in for `sweep_parties`: so many pages of one party each. Behind a first page a party may be deleted."""

    def __init__(self, firm: Firm, pages: int, *, deletions: int = 0, refuse: int | None = None) -> None:
        self._firm, self._pages, self._deletions, self._refused = firm, pages, deletions, refuse
        self.asked: list[int] = []

    @activity.defn(name="sweep_parties")
    async def sweep_parties(self, page: SweepPage) -> SweptPage:
        self.asked.append(page.page)
        if page.page == self._refused:
            raise ApplicationError("Capsule refused to list parties", type="Refused", non_retryable=True)
        if page.page == 1 and self._deletions:
            self._deletions -= 1
            await self._firm.delete_party(await self._firm.new_party())
        return SweptPage(listed=1, announced=0, has_more=page.page < self._pages)


async def begin(office: Office) -> WorkflowHandle[PartySweep, SweepResult]:
    """Start a sweep as the schedule does."""
    return await office.temporal.start_workflow(
        PartySweep.run,
        SweepRequest(connection=office.firm.name),
        id=f"party-sweep/{office.firm.name}/{next(RUNS)}",
        task_queue=WORKFLOW_QUEUE,
    )


async def swept(office: Office) -> SweepResult:
    return await (await begin(office)).result()


async def cursor(firm: Firm) -> datetime | None:
    return await firm.store.cursors.read(firm.name, PARTIES["capsule"])


async def test_the_first_sweep_announces_everybody_behind_all_other_work(office: Office, firm: Firm) -> None:
    parties = [await firm.new_party() for _ in range(3)]
    async with attended(office):
        for party_id in parties:
            office.expect(party_id)
        assert await swept(office) == SweepResult(listed=3, announced=3, passes=1)
        assert [(await office.result(party_id)).outcome for party_id in parties] == ["created"] * 3
        described = await office.workflow(parties[0]).describe()
    assert described.raw_description.workflow_execution_info.priority.priority_key == BACKFILL


async def test_a_first_sweep_that_would_create_too_much_asks_before_it_creates_anything(
    office: Office, firm: Firm
) -> None:
    """F5, F22."""
    firm.use_clients(bulk_limit=2)
    parties = [await firm.new_party(name=name) for name in ("Acme", "Globex", "Initech")]
    async with attended(office):
        await swept(office)
        assert (await office.hold_listed("bulk-creates")).reason == "bulk-limit"
        assert firm.clients() == []
        for party_id in parties:
            office.expect(party_id)
        bulk = office.temporal.get_workflow_handle(f"bulk-creates/{firm.name}/clients")
        await bulk.execute_update("resolve", Resolution(choice="approve"))
        await bulk.result()
        assert [(await office.result(party_id)).outcome for party_id in parties] == ["created"] * 3


async def test_a_later_sweep_announces_only_what_differs(office: Office, firm: Firm) -> None:
    """Z30, Z140."""
    await firm.store.cursors.advance(firm.name, PARTIES["capsule"], datetime.now(UTC) - timedelta(minutes=1))
    same, changed = await firm.new_party(), await firm.new_party()
    async with office.working():
        for party_id in (same, changed):
            await office.sync(party_id)
        await firm.change_party(changed, name="Acme & Sons")
        assert await swept(office) == SweepResult(listed=2, announced=1, passes=1)
    assert [(each.party_id, each.priority) for each in firm.announced] == [(changed, 3)]


async def test_every_sweep_announces_the_linked_parties_that_were_deleted(office: Office, firm: Firm) -> None:
    """F16: the first one too, because webhooks link parties before it ends."""
    async with office.working():
        gone, stays = await firm.new_party(), await firm.new_party()
        for party_id in (gone, stays):
            await office.sync(party_id)
        await firm.delete_party(gone)
        assert await swept(office) == SweepResult(listed=1, announced=1, passes=1)
        assert (await swept(office)).announced == 1  # sweeps overlap
    assert [(each.party_id, each.cause) for each in firm.announced] == [(gone, "sweep: deleted")] * 2


async def test_the_cursor_stands_where_the_sweep_began(office: Office, firm: Firm) -> None:
    """What changes while the sweep runs belongs to the next one."""
    before = datetime.now(UTC)
    async with office.working({"sweep_parties": Pages(firm, 2).sweep_parties}):
        await swept(office)
    read_until = await cursor(firm)
    assert read_until is not None
    assert before - timedelta(seconds=1) <= read_until <= datetime.now(UTC)


async def test_a_sweep_that_fails_half_way_leaves_the_cursor(office: Office, firm: Firm) -> None:
    """S49: the next sweep reads the same stretch."""
    async with office.working({"sweep_parties": Pages(firm, 3, refuse=2).sweep_parties}):
        with pytest.raises(WorkflowFailureError):
            await swept(office)
    assert await cursor(firm) is None


async def test_a_deletion_while_we_list_makes_us_list_again(office: Office, firm: Firm) -> None:
    """S33: it moves rows to pages that were read already."""
    pages = Pages(firm, 2, deletions=1)
    async with office.working({"sweep_parties": pages.sweep_parties}):
        assert (await swept(office)).passes == 2
    assert pages.asked == [1, 2, 1, 2]
    assert await cursor(firm) is not None


async def test_where_parties_go_on_being_deleted_the_next_sweep_reads_it_all_again(office: Office, firm: Firm) -> None:
    """S49."""
    async with office.working({"sweep_parties": Pages(firm, 2, deletions=99).sweep_parties}):
        assert (await swept(office)).passes == MOST_PASSES
    assert await cursor(firm) is None


async def test_a_long_sweep_goes_on_as_a_new_run_at_the_next_page(office: Office, firm: Firm) -> None:
    """F42, S60: every page is read, and none twice."""
    pages = Pages(firm, 25)
    async with office.working({"sweep_parties": pages.sweep_parties}):
        handle = await begin(office)
        result = await handle.result()
    assert pages.asked == list(range(1, 26))
    assert result == SweepResult(listed=25, announced=0, passes=1)
    assert (await handle.describe()).run_id != handle.first_execution_run_id


async def test_an_outage_of_capsule_does_not_end_the_sweep(office: Office, firm: Firm) -> None:
    """S27, S47."""
    await firm.new_party()
    firm.crm_fault(method="GET", fault="status", status=503, headers={"Retry-After": "1"}, times=1)
    async with office.working():
        assert (await swept(office)).listed == 1
