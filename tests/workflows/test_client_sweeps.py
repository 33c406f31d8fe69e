"""The sweep of the books reads two lists to their ends, and moves its cursor only when all of it has been announced."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from temporalio import activity
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

import workflows.client_sweeps
from activities.watch_models import ClientPage, SweptClients
from runtime.queues import WORKFLOW_QUEUE
from tests.attended import attended
from tests.sandboxes import Firm
from tests.workflows.office import Office
from workflows.client_sweeps import CLIENTS, ClientSweep
from workflows.models import ClientSweepRequest, SweepResult
from workflows.sweeps import MOST_PASSES

RUNS = itertools.count(1)


class Pages:
    """Stands in for `sweep_clients`: so many pages of one client each. Between first pages a client may be deleted."""

    def __init__(self, pages: int, *, deletions: int = 0, refuse: int | None = None) -> None:
        self._pages, self._deletions, self._refused = pages, deletions, refuse
        self._deleted: list[int] = []
        self.asked: list[int] = []

    @activity.defn(name="sweep_clients")
    async def sweep_clients(self, page: ClientPage) -> SweptClients:
        if page.deleted:
            return SweptClients(listed=0, announced=0, has_more=False, deleted_lately=self._deleted)
        self.asked.append(page.page)
        if page.page == self._refused:
            raise ApplicationError("FreshBooks refused to list clients", type="Refused", non_retryable=True)
        if page.page == 1 and self._deletions:
            self._deletions -= 1
            self._deleted = [*self._deleted, 330_000 + self._deletions]
        return SweptClients(listed=1, announced=0, has_more=page.page < self._pages)


async def begin(office: Office) -> WorkflowHandle[ClientSweep, SweepResult]:
    """Start a sweep as the schedule does."""
    return await office.temporal.start_workflow(
        ClientSweep.run,
        ClientSweepRequest(connection=office.firm.name),
        id=f"client-sweep/{office.firm.name}/{next(RUNS)}",
        task_queue=WORKFLOW_QUEUE,
    )


async def swept(office: Office) -> SweepResult:
    return await (await begin(office)).result()


async def cursor(firm: Firm) -> datetime | None:
    return await firm.store.cursors.read(firm.name, CLIENTS)


async def test_the_first_sweep_announces_every_client_behind_all_other_work(office: Office, firm: Firm) -> None:
    """Z10: those that were there before we came."""
    clients = [await firm.new_client(organization=f"Customer {number}") for number in range(3)]
    async with attended(office):
        assert await swept(office) == SweepResult(listed=3, announced=3, passes=1)
        assert [(await office.client_result(each)).outcome for each in clients] == ["not-carried"] * 3


async def test_a_later_sweep_announces_only_what_differs(office: Office, firm: Firm) -> None:
    """Z30, Z140: what was announced once is listed all day and stays quiet."""
    await firm.store.cursors.advance(firm.name, CLIENTS, datetime.now(UTC) - timedelta(minutes=1))
    async with office.working():
        party_id = await firm.new_party(emailAddresses=[{"address": "office@acme.test"}])
        await office.sync(party_id)
        client_id = await firm.new_client(organization="Borg AB")
        assert await swept(office) == SweepResult(listed=2, announced=1, passes=1)
        assert (await swept(office)).announced == 0
    assert [(int(each.client_id), each.priority) for each in firm.announced_clients] == [(client_id, 3)]


async def test_a_client_that_was_deleted_in_the_books_is_found(office: Office, firm: Firm) -> None:
    """F16, F18."""
    async with office.working():
        party_id = await firm.new_party()
        await office.sync(party_id)
        client_id = firm.clients()[0]["id"]
        await firm.change_client(client_id, vis_state=1)
        assert await swept(office) == SweepResult(listed=1, announced=1, passes=1)
    assert [int(each.client_id) for each in firm.announced_clients] == [client_id]


async def test_the_cursor_stands_where_the_sweep_began(office: Office, firm: Firm) -> None:
    """What changes while the sweep runs belongs to the next one."""
    before = datetime.now(UTC)
    async with office.working({"sweep_clients": Pages(2).sweep_clients}):
        await swept(office)
    read_until = await cursor(firm)
    assert read_until is not None
    assert before - timedelta(seconds=1) <= read_until <= datetime.now(UTC)


async def test_a_sweep_that_fails_half_way_leaves_the_cursor(office: Office, firm: Firm) -> None:
    """S49: the next sweep reads the same stretch."""
    async with office.working({"sweep_clients": Pages(3, refuse=2).sweep_clients}):
        with pytest.raises(WorkflowFailureError):
            await swept(office)
    assert await cursor(firm) is None


async def test_a_deletion_while_we_list_makes_us_list_again(office: Office, firm: Firm) -> None:
    """S33: it moves rows to pages that were read already."""
    pages = Pages(2, deletions=1)
    async with office.working({"sweep_clients": pages.sweep_clients}):
        assert (await swept(office)).passes == 2
    assert pages.asked == [1, 2, 1, 2]
    assert await cursor(firm) is not None


async def test_a_deletion_moves_nothing_where_one_page_holds_everything(office: Office, firm: Firm) -> None:
    pages = Pages(1, deletions=1)
    async with office.working({"sweep_clients": pages.sweep_clients}):
        assert (await swept(office)).passes == 1


async def test_where_clients_go_on_being_deleted_the_next_sweep_reads_it_all_again(office: Office, firm: Firm) -> None:
    """S49."""
    async with office.working({"sweep_clients": Pages(2, deletions=99).sweep_clients}):
        assert (await swept(office)).passes == MOST_PASSES
    assert await cursor(firm) is None


async def test_a_list_without_end_is_not_followed_for_ever(
    office: Office, firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F36: it fails, visibly, and the cursor stays."""
    monkeypatch.setattr(workflows.client_sweeps, "MOST_PAGES", 3)
    pages = Pages(99)
    async with office.working({"sweep_clients": pages.sweep_clients}):
        with pytest.raises(WorkflowFailureError):
            await swept(office)
    assert pages.asked == [1, 2, 3]
    assert await cursor(firm) is None


async def test_a_long_sweep_goes_on_as_a_new_run_at_the_next_page(office: Office, firm: Firm) -> None:
    """F42, S60: every page is read, and none twice."""
    pages = Pages(25)
    async with office.working({"sweep_clients": pages.sweep_clients}):
        handle = await begin(office)
        result = await handle.result()
    assert pages.asked == list(range(1, 26))
    assert result == SweepResult(listed=25, announced=0, passes=1)
    assert (await handle.describe()).run_id != handle.first_execution_run_id


async def test_an_outage_of_freshbooks_does_not_end_the_sweep(office: Office, firm: Firm) -> None:
    """S27, S47."""
    await firm.new_client(organization="Acme Ltd")
    firm.books_fault(method="GET", fault="status", status=503, headers={"Retry-After": "1"}, times=1)
    async with office.working():
        assert (await swept(office)).listed == 1
