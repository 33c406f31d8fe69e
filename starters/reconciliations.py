"""`ledgerline reconcile`: compare both sides in full, show what differs, and write it to files."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError

from runtime.errors import Stop
from runtime.queues import WORKFLOW_QUEUE
from runtime.temporal import connect
from starters.audit import opened_store
from starters.billing_report import chosen
from starters.reconciliation_files import write_files
from starters.reconciliation_report import gathered
from starters.reconciliation_texts import exit_code
from starters.reconciliation_views import listed, pages_read, shown
from store.reconciliation_models import ReportHead
from store.reconciliations import UNFINISHED, Reconciliations
from workflows.reconciliation_models import ReconciliationRequest, ReconciliationResult
from workflows.reconciliations import Reconciliation
from workflows.search_attributes import CONNECTION, FLOW

FLOWS = ("clients", "opportunities", "payments")
PERSON = 1
LOOK_SECONDS = 0.5
WORKER_HINT_SECONDS = 30
INTERRUPTED = 130
MOST_LISTED = 50
PRIVATE = "they hold personal data (names, and what both sides say of them): only you may read them"


class CannotCompare(Stop):
    """The flow is none, or the comparison failed. The text says what to do."""


@dataclass(frozen=True)
class Output:
    """Where a report is to be written, and in which formats; None: only to the terminal."""

    folder: Path | None = None
    formats: Sequence[str] = ()


@dataclass(frozen=True)
class Begun:
    """A comparison that runs. `joined`: it ran before we asked; `repairs`: it mends what a sync can mend."""

    handle: "WorkflowHandle[Reconciliation, ReconciliationResult]"
    joined: bool
    repairs: bool


def reconciliation_workflow_id(connection: str, flow: str) -> str:
    """Return the id of the one workflow that compares a flow of a connection."""
    return f"reconciliation/{connection}/{flow}"


async def reconcile(connection: str | None, flow: str, output: Output, *, repair: bool) -> int:
    """Compare both sides, or join who does, and print what differs.

    Returns 0 if nothing differs but what somebody chose, 1 if something does, 2 if not all could be compared, 130 if
    the person stopped looking. Raises Stop.
    """
    async with opened_store() as (settings, store):
        name = chosen(settings, connection)
        flows = settings.connections[name].compared_flows
        if flow not in flows:
            raise CannotCompare(f"there is no comparison of {flow} for {name}; there is one of {', '.join(flows)}")
        console, reports = Console(), store.reconciliations
        request = ReconciliationRequest(connection=name, flow=flow, crm=settings.crms[name], repair=repair)
        begun = await begin(await connect(settings), request)
        _say_joined(begun, console, repair=repair)
        watched = asyncio.create_task(begun.handle.result())
        try:
            await _watch(reports, (name, flow), watched, console)
            ended = await watched
        except asyncio.CancelledError:
            await _say_goes_on(reports, name, flow, console)
            return INTERRUPTED
        except WorkflowFailureError as error:
            raise CannotCompare(f"the comparison failed: {_why(error)}") from error
        return await _present(reports, ended.report_id, output, console)


async def begin(temporal: Client, request: ReconciliationRequest) -> Begun:
    """Start a comparison; one that runs already is joined, whatever it was asked to do."""
    connection, flow = request.connection, request.flow
    try:
        handle = await temporal.start_workflow(
            Reconciliation.run,
            request,
            id=reconciliation_workflow_id(connection, flow),
            task_queue=WORKFLOW_QUEUE,
            search_attributes=TypedSearchAttributes(
                [SearchAttributePair(CONNECTION, connection), SearchAttributePair(FLOW, flow)]
            ),
            static_summary=f"compare all {flow} of {connection} on both sides",
            priority=Priority(priority_key=PERSON, fairness_key=connection),
        )
    except WorkflowAlreadyStartedError:
        running: WorkflowHandle[Reconciliation, ReconciliationResult] = temporal.get_workflow_handle(
            reconciliation_workflow_id(connection, flow), result_type=ReconciliationResult
        )
        return Begun(running, joined=True, repairs=await _repairs(temporal, running))
    return Begun(handle, joined=False, repairs=request.repair)


async def list_reports(connection: str | None, flow: str | None) -> int:
    """Print the newest reports with their trends. Returns 0. Raises Stop."""
    async with opened_store() as (_, store):
        heads = await store.reconciliations.heads(connection, flow, MOST_LISTED)
        Console().print(listed(heads) if heads else "nothing has been compared yet: ledgerline reconcile")
    return 0


async def show_report(report_id: str, output: Output) -> int:
    """Print a report again, or write it to files. Returns what making it returned. Raises Stop."""
    async with opened_store() as (_, store):
        return await _present(store.reconciliations, report_id, output, Console())


async def _present(reports: Reconciliations, report_id: str, output: Output, console: Console) -> int:
    report = await gathered(reports, report_id)
    console.print(shown(report), highlight=False)
    if output.folder is not None:
        for path in write_files(report, output.folder, output.formats):
            console.print(f"written: {path}", highlight=False, markup=False, soft_wrap=True)
        console.print(PRIVATE, highlight=False)
    return exit_code(report.head)


async def _repairs(temporal: Client, running: "WorkflowHandle[Reconciliation, ReconciliationResult]") -> bool:
    """Return whether a comparison that runs was asked to mend: its input says so, whoever started it."""
    async for event in running.fetch_history_events(page_size=1):
        payloads = event.workflow_execution_started_event_attributes.input.payloads
        found = await temporal.data_converter.decode(payloads, [ReconciliationRequest])
        return bool(found[0].repair)
    return False


def _say_joined(begun: Begun, console: Console, *, repair: bool) -> None:
    if not begun.joined:
        return
    console.print("a comparison of this flow runs already: you are watching that one", highlight=False)
    if repair and not begun.repairs:
        text = "it was started without --repair and mends nothing; ask for --repair again when it has ended"
        console.print(f"[bold]{text}[/bold]", highlight=False)
    elif begun.repairs and not repair:
        console.print("it was started with --repair: what a sync can mend is handed to the syncs", highlight=False)


async def _say_goes_on(reports: Reconciliations, connection: str, flow: str, console: Console) -> None:
    head = await _running(reports, connection, flow)
    look = f"ledgerline reconcile --show {head.id}" if head else "ledgerline reconcile --list"
    console.print(f"the comparison goes on. Watch it again: ledgerline reconcile; its report: {look}", highlight=False)


async def _watch(
    reports: Reconciliations, place: tuple[str, str], ended: "asyncio.Task[ReconciliationResult]", console: Console
) -> None:
    """Show how far a comparison is until it ends."""
    looks, seen = 0, None
    with console.status("comparing: beginning") as status:
        while not ended.done():
            looks += 1
            head = await _running(reports, *place)
            if head is not None:
                seen = head.id
                status.update(pages_read(head, await reports.progress(head.id)))
            elif seen is not None:
                status.update(f"report {seen}: compared; what a sync mends is handed over")
            elif looks * LOOK_SECONDS > WORKER_HINT_SECONDS:
                status.update("comparing: no worker has taken it up; does one run? See ledgerline doctor")
            await asyncio.wait({ended}, timeout=LOOK_SECONDS)


async def _running(reports: Reconciliations, connection: str, flow: str) -> ReportHead | None:
    newest = await reports.heads(connection, flow, 1)
    return newest[0] if newest and newest[0].state in UNFINISHED else None


def _why(error: BaseException) -> str:
    """Return the text at the bottom of a failure."""
    cause: BaseException = error
    while isinstance(cause, WorkflowFailureError | FailureError) and cause.cause is not None:
        cause = cause.cause
    return cause.message if isinstance(cause, FailureError) else str(cause)
