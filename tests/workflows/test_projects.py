"""Won opportunities get their project, once, and show its hours and what was billed: with either CRM."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from temporalio.client import Client

from store.records import RecordKey
from store.store import Store
from tests.pipelines import crm
from tests.projects import Engagements, OpenEngagements, open_engagements

__all__ = ["crm"]
CREATE = {"method": "POST", "path": "/project$"}


@pytest.fixture
def open_with(temporal: Client, sqlite_store: Store, tmp_path: Path, crm: str) -> OpenEngagements:
    """Gives a firm with either CRM."""
    return partial(open_engagements, temporal, sqlite_store, tmp_path, crm)


@pytest.fixture
async def firm(open_with: OpenEngagements) -> AsyncIterator[Engagements]:
    """A firm that opens projects, with the settings of most."""
    async with open_with() as opened:
        yield opened


async def test_a_won_opportunity_gets_a_project_of_its_client(firm: Engagements) -> None:
    """S3."""
    won = await firm.win()
    result = await firm.sync(won)
    [project] = firm.projects()
    assert (result.outcome, result.project_id) == ("opened", project["id"])
    assert (project["title"], project["project_type"]) == ("Website rebuild", "hourly_rate")
    assert project["client_id"] in [each["id"] for each in firm.firm.clients()]
    assert await firm.shown(won) == {"Hours": "0.00", "Billed": "0.00 EUR"}


async def test_an_opportunity_that_is_still_open_gets_none(firm: Engagements) -> None:
    """S3."""
    record = await firm.pipeline.enter("proposal")
    assert (await firm.sync(record)).outcome == "not-due"
    assert firm.projects() == []


async def test_a_second_pass_opens_nothing_and_writes_nothing(firm: Engagements) -> None:
    """S3, F2: equal fields are left alone."""
    won = await firm.win()
    await firm.sync(won)
    before = firm.field_writes()
    assert (await firm.sync(won)).outcome == "in-step"
    assert (len(firm.projects()), firm.field_writes()) == (1, before)


async def test_a_project_whose_answer_is_lost_is_found_and_not_opened_twice(firm: Engagements) -> None:
    """S3, F1, F2."""
    won = await firm.win()
    firm.firm.books_fault(fault="commit_then_cut", times=1, **CREATE)
    assert (await firm.sync(won)).outcome == "adopted"
    assert len(firm.projects()) == 1


async def test_a_project_whose_request_got_lost_is_opened_after_the_wait(firm: Engagements) -> None:
    """F1: nothing was left behind, so it is sent once more."""
    won = await firm.win()
    firm.firm.books_fault(fault="cut_before", times=1, **CREATE)
    assert (await firm.sync(won)).outcome == "opened"
    assert len(firm.projects()) == 1


async def test_hours_and_the_value_billed_come_back_to_the_opportunity(firm: Engagements) -> None:
    """S3: two hours and twenty minutes are 2.33; billed at 100.00 EUR an hour, 233.00 EUR before tax."""
    won = await firm.win()
    await firm.sync(won)
    [project] = firm.projects()
    await firm.change("project", project["id"], budget=36000)
    await firm.log(2 + 1 / 3, project)
    assert (await firm.sync(won)).outcome == "shown"
    assert await firm.shown(won) == {"Hours": "2.33", "Budget": "10.00", "Billed": "0.00 EUR"}
    await firm.bill(project["client_id"])
    await firm.sync(won)
    assert await firm.shown(won) == {"Hours": "2.33", "Budget": "10.00", "Billed": "233.00 EUR"}


async def test_hours_of_the_client_that_are_not_of_the_project_count_for_nothing(firm: Engagements) -> None:
    """S3: three hours are billed on one invoice, two of them are the project's."""
    won = await firm.win()
    await firm.sync(won)
    [project] = firm.projects()
    await firm.log(2, project)
    await firm.timesheet.log(project["client_id"], 1)
    await firm.bill(project["client_id"])
    await firm.sync(won)
    shown = await firm.shown(won)
    assert (shown["Hours"], shown["Billed"]) == ("2.00", "200.00 EUR")


async def test_an_invoice_that_is_made_void_counts_no_more(firm: Engagements) -> None:
    """S3."""
    won = await firm.win()
    await firm.sync(won)
    [project] = firm.projects()
    await firm.log(2, project)
    await firm.bill(project["client_id"])
    await firm.sync(won)
    [invoice] = firm.timesheet.invoices()
    await firm.change("invoice", invoice["id"], vis_state=1)
    await firm.sync(won)
    assert (await firm.shown(won))["Billed"] == "0.00 EUR"


async def test_an_hour_that_is_deleted_counts_no_more(firm: Engagements) -> None:
    """S3."""
    won = await firm.win()
    await firm.sync(won)
    [project] = firm.projects()
    entry = await firm.log(2, project)
    await firm.log(1, project)
    await firm.sync(won)
    await firm.timesheet.delete(entry)
    await firm.sync(won)
    assert (await firm.shown(won))["Hours"] == "1.00"


async def test_the_sweep_finds_what_was_won_and_the_hours_that_were_logged(firm: Engagements) -> None:
    """S3: no webhook told of either."""
    await firm.sweep()
    won = await firm.win()
    await firm.sweep()
    await firm.until_shown(won, Hours="0.00")
    [project] = firm.projects()
    await firm.log(1.5, project)
    await firm.sweep()
    await firm.until_shown(won, Hours="1.50")


async def test_the_first_sweep_opens_nothing_for_what_was_won_before(firm: Engagements) -> None:
    """S45: a firm with years of sales does not get hundreds of projects at once."""
    await firm.win()
    assert (await firm.sweep()).announced == 0
    assert firm.projects() == []


async def test_news_of_an_opportunity_reach_its_project_too(firm: Engagements) -> None:
    """S3: one webhook, both workflows."""
    won = await firm.win()
    key = RecordKey(firm.firm.name, "opportunities", str(won))
    await firm.office.announcer.record_changed(key, "webhook", 2)
    await firm.until_shown(won, Hours="0.00")
    assert len(firm.projects()) == 1


async def test_a_project_of_the_same_title_that_is_not_ours_waits_for_a_person(firm: Engagements) -> None:
    """S3, F3: somebody had opened it by hand; with our reference in it, it is taken over."""
    won = await firm.win()
    firm.firm.books_fault(fault="status", status=422, times=1, **CREATE)
    await firm.announce(won)
    await firm.hold(won, "rejected")
    client_id = max(each["id"] for each in firm.firm.clients())
    mine = await firm.timesheet.new_project(client_id, title="website rebuild")
    await firm.resolve(won, "retry")
    held = await firm.hold(won, "duplicate-found")
    evidence = await firm.firm.store.holds.evidence(held.workflow_id)
    reference = str(evidence["explanation"]).split("put ")[1].split(" ")[0]
    await firm.change("project", mine, description=f"agreed on the phone {reference}")
    await firm.resolve(won, "retry")
    result = await firm.result(won)
    assert (result.outcome, result.project_id, len(firm.projects())) == ("adopted", mine, 1)


async def test_a_project_that_was_deleted_is_not_opened_again_by_itself(firm: Engagements) -> None:
    """S3."""
    won = await firm.win()
    await firm.sync(won)
    [project] = firm.projects()
    await firm.delete_project(project["id"])
    await firm.announce(won)
    await firm.hold(won, "conflict")
    await firm.resolve(won, "skip")
    assert (await firm.result(won)).outcome == "orphaned"
    assert (await firm.sync(won)).outcome == "orphaned"
    assert firm.projects() == []


async def test_nothing_is_opened_where_the_settings_say_so(open_with: OpenEngagements) -> None:
    """S45."""
    async with open_with(open_when_won=False) as firm:
        won = await firm.win()
        assert (await firm.sync(won)).outcome == "not-due"
        assert firm.projects() == []


async def test_a_second_project_of_the_same_title_can_be_wanted(firm: Engagements) -> None:
    """S3: last year's retainer is still under way, and this year's has the same name."""
    won = await firm.win()
    firm.firm.books_fault(fault="status", status=422, times=1, **CREATE)
    await firm.announce(won)
    await firm.hold(won, "rejected")
    await firm.timesheet.new_project(max(each["id"] for each in firm.firm.clients()), title="Website rebuild")
    await firm.resolve(won, "retry")
    await firm.hold(won, "duplicate-found")
    assert len(firm.projects()) == 1
    await firm.resolve(won, "approve")
    assert (await firm.result(won)).outcome == "opened"
    assert len(firm.projects()) == 2


@pytest.mark.parametrize("place", ["after-mark", "after-post", "after-confirm"])
async def test_a_worker_that_dies_on_the_way_leaves_one_project(
    firm: Engagements, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3, F1, F2: whatever was answered is forgotten, and the next attempt begins by looking."""
    died: list[str] = []

    def die(at: str) -> None:
        if at == place and not died:
            died.append(at)
            raise RuntimeError("the worker died")

    monkeypatch.setattr("activities.projects.crash_point", die)
    monkeypatch.setattr("activities.write_once.crash_point", die)
    won = await firm.win()
    await firm.sync(won)
    assert (died, len(firm.projects())) == ([place], 1)
    assert (await firm.shown(won))["Hours"] == "0.00"


async def test_what_a_lost_answer_left_is_taken_over_although_it_is_won_no_more(firm: Engagements) -> None:
    """F1: else a project would be there that no opportunity knows of."""
    won = await firm.win()
    firm.firm.books_fault(fault="commit_then_cut", times=1, **CREATE)
    await firm.announce(won)
    await firm.office.called("POST", "/project", 1)
    await firm.pipeline.sales.move(won, "proposal")
    result = await firm.result(won)
    [project] = firm.projects()
    assert (result.outcome, result.project_id) == ("adopted", project["id"])
    assert (await firm.sync(won)).project_id == project["id"]
