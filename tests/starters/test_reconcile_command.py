"""`ledgerline reconcile`: what a bookkeeper types and reads, against a real Temporal server."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from typer.testing import CliRunner

from runtime.errors import Stop
from runtime.queues import WORKFLOW_QUEUE
from starters.cli import app
from starters.reconciliations import (
    CannotCompare,
    Output,
    begin,
    list_reports,
    reconcile,
    reconciliation_workflow_id,
    show_report,
)
from store.reconciliation_models import Mismatch
from store.reconciliation_pieces import NewReport, Outcome
from store.store import Store
from tests.sandboxes import Firm
from tests.starters.planted_reports import HASH, HEAD, MISMATCHES
from tests.workflows.office import Office
from workflows.reconciliation_models import ReconciliationRequest, ReconciliationResult

A_SECOND = 1.1
"""Systems note whole seconds: what changed in the second in which a comparison begins may have changed after."""


@workflow.defn(name="Reconciliation")
class Comparing:
    """A comparison that ends when the test has kept what it came to. The test is the engine."""

    def __init__(self) -> None:
        self._ended = False
        self._problem = ""

    @workflow.run
    async def run(self, request: ReconciliationRequest) -> ReconciliationResult:
        await workflow.wait_condition(lambda: self._ended)
        if self._problem:
            raise ApplicationError(self._problem, non_retryable=True)
        return ReconciliationResult(outcome="done", report_id="r-1")

    @workflow.signal
    def end(self, problem: str) -> None:
        self._ended, self._problem = True, problem


@asynccontextmanager
async def comparing(temporal: Client, firm: Firm) -> AsyncIterator[Any]:
    """A worker for comparisons, and the handle of the one that will run; it is ended afterwards."""
    handle = temporal.get_workflow_handle(reconciliation_workflow_id(firm.name, "clients"))
    runner = UnsandboxedWorkflowRunner()
    async with Worker(temporal, task_queue=WORKFLOW_QUEUE, workflows=[Comparing], workflow_runner=runner):
        yield handle
        with suppress(Exception):
            await handle.terminate()


async def begun(store: Store, firm: Firm, report_id: str) -> None:
    await store.reconciliations.begin(NewReport(report_id, firm.name, "clients", "v1"), HEAD.started_at)


async def found(store: Store, report_id: str, mismatches: tuple[Mismatch, ...]) -> None:
    """Keep what a comparison came to, as the engine does."""
    kept = store.reconciliations
    await kept.add([kept.row(report_id, each, f"f{each.number}") for each in mismatches])
    counts: dict[str, int] = {}
    causes: dict[str, int] = {}
    for each in mismatches:
        counts[each.kind] = counts.get(each.kind, 0) + 1
        causes[each.cause] = causes.get(each.cause, 0) + 1
    assert await kept.finish(report_id, Outcome(HEAD.sides, 1_195, counts, causes, len(mismatches)), HASH)


def asked_of(firm: Firm) -> ReconciliationRequest:
    return ReconciliationRequest(connection=firm.name, flow="clients", crm="capsule")


async def running(handle: Any) -> None:
    """Wait until the comparison was asked for."""
    for _ in range(100):
        with suppress(Exception):
            await handle.describe()
            return
        await asyncio.sleep(0.05)


async def test_a_gap_is_found_mended_on_request_and_then_gone(
    office: Office, firm: Firm, installed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """S31, S32, S33: the whole way with the engine; the trend tells that it was mended. No webhook is to be missed."""
    unreachable = firm.settings.receiver.model_copy(update={"public_url": None})
    firm.settings = firm.settings.model_copy(update={"receiver": unreachable})
    firm.__post_init__()
    south = await firm.new_party(name="South", emailAddresses=[{"address": "office@south.test"}])
    async with office.working():
        await office.sync(south)
        gap = await firm.new_party(name="North", emailAddresses=[{"address": "office@north.test"}])
        office.expect(gap)
        await asyncio.sleep(A_SECOND)
        assert await reconcile(None, "clients", Output(tmp_path, ("json",)), repair=False) == 1
        (report,) = [json.loads(each.read_text(encoding="utf-8")) for each in tmp_path.glob("mismatches-*.json")]
        assert [(each["kind"], each["crm_ids"]) for each in report["mismatches"]] == [("missing-right", [str(gap)])]
        assert report["report"]["is_complete"]
        assert await reconcile(None, "clients", Output(), repair=True) == 1
        assert "1 record handed to the syncs" in capsys.readouterr().out
        await office.result(gap)
        await asyncio.sleep(A_SECOND)
        assert await reconcile(None, "clients", Output(), repair=False) == 0
    assert len(firm.clients()) == 2
    said = capsys.readouterr().out
    assert "Nothing differs." in said
    heads = await firm.store.reconciliations.heads(firm.name, "clients", 9)
    assert [each.mismatches for each in heads] == [0, 1, 1]


async def test_differences_are_shown_written_and_exit_with_one(
    temporal: Client, installed: Path, firm: Firm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """S8, S31, S32, Z93: one command from both systems to the files, without an export or a spreadsheet merge."""
    async with comparing(temporal, firm) as handle:
        asked = asyncio.create_task(
            reconcile(None, "clients", Output(tmp_path / "out", ("html", "json")), repair=False)
        )
        await running(handle)
        await begun(firm.store, firm, "r-1")
        await found(firm.store, "r-1", MISMATCHES)
        await handle.signal("end", "")
        code = await asked
    said = capsys.readouterr().out
    assert code == 1
    assert "6 differences found. 1 difference is as you chose." in said
    assert "Complete: both sides were read to their ends." in said
    assert "personal data" in said
    assert "Acme Ltd" not in said
    assert "Acme Ltd" in (tmp_path / "out" / "mismatches-r-1.html").read_text(encoding="utf-8")
    assert {each.suffix for each in (tmp_path / "out").iterdir()} == {".html", ".json"}


async def test_nothing_but_what_somebody_chose_exits_with_zero(
    temporal: Client, installed: Path, firm: Firm, capsys: pytest.CaptureFixture[str]
) -> None:
    async with comparing(temporal, firm) as handle:
        asked = asyncio.create_task(reconcile(firm.name, "clients", Output(), repair=False))
        await running(handle)
        await begun(firm.store, firm, "r-1")
        await found(firm.store, "r-1", (replace(MISMATCHES[1], number=1),))
        await handle.signal("end", "")
        assert await asked == 0
    assert "Nothing differs. 1 difference is as you chose." in capsys.readouterr().out


async def test_a_comparison_that_fails_says_why(temporal: Client, installed: Path, firm: Firm) -> None:
    async with comparing(temporal, firm) as handle:
        asked = asyncio.create_task(reconcile(None, "clients", Output(), repair=False))
        await running(handle)
        await handle.signal("end", "FreshBooks refused to list clients")
        with pytest.raises(CannotCompare, match="failed: FreshBooks refused to list clients"):
            await asked


async def test_joining_one_that_mends_nothing_says_so_to_whoever_asked_for_repair(
    temporal: Client, installed: Path, firm: Firm, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody who believes that it is being mended would not look again."""
    async with comparing(temporal, firm) as handle:
        first = await begin(temporal, asked_of(firm))
        asked = asyncio.create_task(reconcile(None, "clients", Output(), repair=True))
        await begun(firm.store, firm, "r-1")
        await asyncio.sleep(1)
        await found(firm.store, "r-1", ())
        await handle.signal("end", "")
        assert await asked == 0
        assert not first.joined
    said = capsys.readouterr().out
    assert "runs already" in said
    assert "started without --repair and mends nothing" in said


async def test_whoever_stops_looking_is_told_that_it_goes_on(
    temporal: Client, installed: Path, firm: Firm, capsys: pytest.CaptureFixture[str]
) -> None:
    async with comparing(temporal, firm) as handle:
        asked = asyncio.create_task(reconcile(None, "clients", Output(), repair=True))
        await running(handle)
        await begun(firm.store, firm, "r-1")
        await asyncio.sleep(1)
        asked.cancel()  # what Ctrl-C does
        assert await asked == 130
        joined = await begin(temporal, asked_of(firm))
        assert (joined.joined, joined.repairs) == (True, True)
    assert "goes on" in (said := capsys.readouterr().out)
    assert "ledgerline reconcile --show r-1" in said


async def test_reports_are_listed_and_shown_again(
    temporal: Client, installed: Path, firm: Firm, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await list_reports(None, None) == 0
    assert "nothing has been compared yet" in capsys.readouterr().out
    await begun(firm.store, firm, "r-1")
    assert await show_report("r-1", Output()) == 2
    await found(firm.store, "r-1", MISMATCHES)
    assert await show_report("r-1", Output()) == 1
    assert await list_reports(firm.name, "clients") == 0
    said = capsys.readouterr().out
    assert "The comparison is being made." in said
    assert "6 differences found" in said
    with pytest.raises(Stop, match=r"there is no report r-2"):
        await show_report("r-2", Output())


async def test_a_flow_that_is_not_compared_is_refused(temporal: Client, installed: Path, firm: Firm) -> None:
    with pytest.raises(CannotCompare, match=r"no comparison of staff for firm-\d+; there is one of clients"):
        await reconcile(None, "staff", Output(), repair=False)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--repair", "--list"], "one thing at a time"),
        (["--show", "r-1", "--list"], "one thing at a time"),
        (["--format", "html"], "--out FOLDER"),
        (["--out", "here", "--format", "pdf"], "pdf is no format"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_compared(typed: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["reconcile", *typed])
    assert isinstance(result.exception, Stop)
    assert said in str(result.exception)
