"""A plan is made without writing anything; applying it does exactly that, or nothing."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio import activity
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from activities import plan_applying
from activities.plan_models import StagedPage, StagePage
from tests.activities.plans import link
from tests.workflows.office import Office, until
from tests.workflows.plan_desk import PlanDesk
from workflows.models import ApplyResult

OFFICE = [{"type": "Work", "address": "office@acme.test"}]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often."""
    monkeypatch.setattr(plan_applying, "LOOK_SECONDS", 0.05)


@pytest.fixture
async def desk(office: Office) -> AsyncIterator[PlanDesk]:
    opened = PlanDesk(office)
    yield opened
    await opened.close()


@pytest.fixture
async def two_way_desk(two_way_office: Office) -> AsyncIterator[PlanDesk]:
    """The same for a firm whose changes go both ways."""
    opened = PlanDesk(two_way_office)
    yield opened
    await opened.close()


class Pages:
    """Stands in for `stage_parties`: so many empty pages."""

    def __init__(self, pages: int, *, refuse: int | None = None) -> None:
        self._pages, self._refused = pages, refuse
        self.asked: list[int] = []

    @activity.defn(name="stage_parties")
    async def stage_parties(self, asked: StagePage) -> StagedPage:
        self.asked.append(asked.page)
        if asked.page == self._refused:
            raise ApplicationError("Capsule refused to list parties", type="Refused", non_retryable=True)
        return StagedPage(listed=0, has_more=asked.page < self._pages)


async def test_a_plan_is_made_and_applied_to_the_letter(desk: PlanDesk) -> None:
    """S2, Z24: look first, then do exactly that."""
    firm = desk.firm
    new = await firm.new_party(name="North", emailAddresses=[{"address": "north@north.test"}])
    known = await firm.new_party(name="South", emailAddresses=[{"address": "south@south.test"}])
    client_id = await firm.new_client(email="south@south.test")
    async with desk.office.working():
        plan = await desk.made()
        assert len(firm.clients()) == 1
        assert await desk.apply(plan) == ApplyResult(outcome="applied")
        assert await desk.states(plan) == {("create", "done"): 1, ("link", "done"): 1}
    assert [client["organization"] for client in firm.clients()] == ["South", "North"]
    assert await firm.store.links.crm_id_of(firm.name, "clients", str(client_id)) == str(known)
    assert (await desk.settled(plan.id)).state == "applied"
    assert (await firm.store.links.of_crm(firm.record_key(new))) is not None


async def test_a_second_apply_writes_nothing(desk: PlanDesk) -> None:
    """F8, F37."""
    await desk.firm.new_party(name="North", emailAddresses=OFFICE)
    async with desk.office.working():
        plan = await desk.made()
        await desk.apply(plan)
        before = desk.firm.calls("POST"), desk.firm.calls("PUT")
        again = await desk.apply(plan)
    assert (again.outcome, again.text) == ("applied", f"plan {plan.id} has been applied already")
    assert (desk.firm.calls("POST"), desk.firm.calls("PUT")) == before


async def test_what_has_moved_since_is_left_alone_and_said(desk: PlanDesk) -> None:
    """F8, F37: nobody approved the new name."""
    firm = desk.firm
    moved = await firm.new_party(name="North", emailAddresses=[{"address": "north@north.test"}])
    await firm.new_party(name="South", emailAddresses=[{"address": "south@south.test"}])
    async with desk.office.working():
        plan = await desk.made()
        await firm.change_party(moved, name="North & Sons")
        await desk.apply(plan)
        assert await desk.states(plan) == {("create", "moved"): 1, ("create", "done"): 1}
    assert [client["organization"] for client in firm.clients()] == ["South"]


async def test_a_client_that_somebody_entered_since_is_not_doubled(desk: PlanDesk) -> None:
    """F5."""
    await desk.firm.new_party(name="North", emailAddresses=OFFICE)
    async with desk.office.working():
        plan = await desk.made()
        await desk.firm.new_client(organization="North", email="office@acme.test")
        await desk.apply(plan)
        assert await desk.states(plan) == {("create", "moved"): 1}
    assert len(desk.firm.clients()) == 1


async def test_more_creates_than_the_limit_are_applied_only_with_a_persons_word(desk: PlanDesk) -> None:
    """F5, F8, F22."""
    desk.firm.use_clients(bulk_limit=1)
    for name in ("North", "South"):
        await desk.firm.new_party(name=name, emailAddresses=[{"address": f"office@{name}.test"}])
    async with desk.office.working():
        plan = await desk.made()
        refused = await desk.apply(plan)
        assert refused.outcome == "refused"
        assert f"ledgerline apply {plan.id} --allow-creates 2" in refused.text
        assert desk.firm.clients() == []
        assert (await desk.apply(plan, allow_creates=2)).outcome == "applied"
    assert len(desk.firm.clients()) == 2


async def test_an_apply_goes_on_after_the_worker_was_gone(desk: PlanDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """S49, F37: two at a time, the worker ends in the middle, and nothing is done twice or forgotten."""
    monkeypatch.setattr(plan_applying, "MOST_OUTSTANDING", 2)
    for number in range(8):
        await desk.firm.new_party(name=f"Customer {number}", emailAddresses=[{"address": f"c{number}@firm.test"}])

    async def some_done() -> bool:
        return (await desk.states(plan)).get(("create", "done"), 0) >= 2

    async with desk.office.working():
        plan = await desk.made()
        handle = await desk.begin_apply(plan)
        await until(some_done)
    assert 2 <= len(desk.firm.clients()) < 8
    async with desk.office.working():
        assert (await handle.result()).outcome == "applied"
    assert await desk.states(plan) == {("create", "done"): 8}
    assert len(desk.firm.clients()) == 8


async def test_a_stopped_plan_is_finished_by_applying_it_again(desk: PlanDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_applying, "MOST_OUTSTANDING", 1)
    for number in range(4):
        await desk.firm.new_party(name=f"Customer {number}", emailAddresses=[{"address": f"c{number}@firm.test"}])

    async def one_done() -> bool:
        return (await desk.states(plan)).get(("create", "done"), 0) >= 1

    async with desk.office.working():
        plan = await desk.made()
        handle = await desk.begin_apply(plan)
        await until(one_done)
        assert await desk.firm.store.plans.move(plan.id, "stopped", ("applying",))
        assert (await handle.result()).outcome == "stopped"
        assert len(desk.firm.clients()) < 4
        assert (await desk.apply(plan)).outcome == "applied"
    assert len(desk.firm.clients()) == 4


async def test_a_doubtful_match_becomes_a_hold_with_its_candidates(desk: PlanDesk) -> None:
    """F4: whoever looked at the plan decides it where all holds are decided."""
    party_id = await desk.firm.new_party(name="North", emailAddresses=OFFICE)
    for name in ("One", "Two"):
        await desk.firm.new_client(organization=name, email="office@acme.test")
    async with desk.office.working():
        plan = await desk.made()
        assert (await desk.apply(plan)).outcome == "applied"
        assert await desk.states(plan) == {("doubtful", "held"): 1, ("skip", "planned"): 2}
        assert (await desk.office.hold(party_id)).reason == "doubtful-match"


async def test_a_client_that_only_the_books_know_gets_the_party_that_was_shown(two_way_desk: PlanDesk) -> None:
    """Z124."""
    firm = two_way_desk.firm
    client_id = await firm.new_client(organization="North", email="office@acme.test")
    async with two_way_desk.office.working():
        plan = await two_way_desk.made()
        await two_way_desk.apply(plan)
        assert await two_way_desk.states(plan) == {("create", "done"): 1}
    party_id = await firm.store.links.crm_id_of(firm.name, "clients", str(client_id))
    assert party_id is not None
    assert firm.party(int(party_id))["name"] == "North"


async def test_no_party_is_made_of_a_client_that_has_changed_since(two_way_desk: PlanDesk) -> None:
    """F8."""
    firm = two_way_desk.firm
    client_id = await firm.new_client(organization="North", email="office@acme.test")
    async with two_way_desk.office.working():
        plan = await two_way_desk.made()
        await firm.change_client(client_id, organization="South")
        await two_way_desk.apply(plan)
        assert await two_way_desk.states(plan) == {("create", "moved"): 1}
    assert firm.sandbox.capsule_service.records.all("party") == []


async def test_an_edit_in_the_books_that_a_plan_showed_reaches_the_party(two_way_desk: PlanDesk) -> None:
    """Z124."""
    firm = two_way_desk.firm
    party_id = await firm.new_party(name="North", emailAddresses=OFFICE)
    values = {field: value for field, value in (await firm.read_party(party_id)).values.items() if value is not None}
    client_id = await firm.new_client(**values)
    await link(firm, party_id, client_id)
    await firm.change_client(client_id, organization="North & Sons")
    async with two_way_desk.office.working():
        plan = await two_way_desk.made()
        await two_way_desk.apply(plan)
        assert await two_way_desk.states(plan) == {("update", "done"): 1}
    assert firm.party(party_id)["name"] == "North & Sons"


async def test_every_page_is_listed_once_over_several_runs(desk: PlanDesk) -> None:
    """S60, F42: a firm with many pages."""
    pages = Pages(25)
    async with desk.office.working({"stage_parties": pages.stage_parties}):
        plan = await desk.made()
    assert pages.asked == list(range(1, 26))
    assert plan.state == "ready"


async def test_a_plan_that_cannot_be_made_says_why(desk: PlanDesk) -> None:
    """Z144."""
    async with desk.office.working({"stage_parties": Pages(3, refuse=2).stage_parties}):
        plan = await desk.made()
    assert plan.state == "failed"
    assert plan.summary == {"problem": "Capsule refused to list parties"}


async def test_an_outage_does_not_end_the_making_of_a_plan(desk: PlanDesk) -> None:
    """S27, S47."""
    await desk.firm.new_party(name="North", emailAddresses=OFFICE)
    desk.firm.books_fault(method="GET", fault="status", status=503, headers={"Retry-After": "1"}, times=1)
    async with desk.office.working():
        assert (await desk.made()).creates == 1


async def test_a_plan_that_is_stopped_while_it_is_made_forgets_what_was_listed(desk: PlanDesk) -> None:
    """Z133."""
    await desk.firm.new_client(organization="North")
    desk.firm.crm_fault(method="GET", fault="status", status=503, headers={"Retry-After": "60"})

    async def clients_listed() -> bool:
        return bool(await desk.firm.store.plans.staging.count(f"{desk.firm.name}-slow"))

    async with desk.office.working():
        handle = await desk.begin(f"{desk.firm.name}-slow")
        await until(clients_listed)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        plan = await desk.settled(f"{desk.firm.name}-slow", "listing")
    assert (plan.state, plan.summary) == ("failed", {"problem": "stopped by a person"})
    assert await desk.firm.store.plans.staging.count(plan.id) == {}


async def test_a_plan_is_forgotten_when_it_expires(desk: PlanDesk) -> None:
    """Z133: what it quotes of people is not kept for ever."""
    await desk.firm.new_party(name="North", emailAddresses=OFFICE)
    async with desk.office.working():
        plan = await desk.made(keep=timedelta(seconds=6))
        assert len(await desk.items(plan)) == 1
        gone = await desk.settled(plan.id, "ready")
    assert gone.state == "forgotten"
    assert await desk.items(plan) == []
