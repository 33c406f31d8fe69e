"""`ledgerline …`: what operators type. Heavy modules are imported by the command that needs them."""

import asyncio
import os
import sys
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from runtime.errors import Stop
from starters.mapping import mapping
from starters.plan_commands import apply_plan, backfill, plan
from starters.reconcile_command import reconcile

app = typer.Typer(
    help="Keeps a firm's CRM and its books in step.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

holds = typer.Typer(help="What waits for a person: list, show, resolve, retry, skip.", no_args_is_help=True)
app.add_typer(holds, name="holds")
audit = typer.Typer(help="What was written, why, and the proof: show, explain, verify, anchor.", no_args_is_help=True)
app.add_typer(audit, name="audit")
alerts = typer.Typer(help="What people are told, and whether it reaches them: list, test.", no_args_is_help=True)
app.add_typer(alerts, name="alerts")
report = typer.Typer(help="What the books say of a period: billing.", no_args_is_help=True)
app.add_typer(report, name="report")
app.add_typer(plan, name="plan")
app.add_typer(mapping, name="mapping")
app.command("apply")(apply_plan)
app.command("backfill")(backfill)
app.command("reconcile")(reconcile)

MISTAKE = 2

HoldId = Annotated[str, typer.Argument(help="The id, as `holds list` shows it.")]
Reason = Annotated[str | None, typer.Option(help="Only holds of this reason, such as rejected.")]
Record = Annotated[str, typer.Argument(help="7 or party:7 for the CRM's party, client:90210 for a FreshBooks client.")]
Written = Annotated[
    str,
    typer.Argument(help="7 or party:7, client:90210, opportunity:701 (a deal too), estimate:70001 or invoice:80001."),
]
OfConnection = Annotated[str | None, typer.Option("--connection", help="Needed only if there are several.")]
WithValues = Annotated[bool, typer.Option("--values", help="Show what was written, which is personal data.")]


class SystemName(StrEnum):
    """What can be connected."""

    CAPSULE = "capsule"
    ZOHO_CRM = "zoho_crm"
    ZOHO = "zoho"
    FRESHBOOKS = "freshbooks"


class ChoiceName(StrEnum):
    """What a person can decide."""

    RETRY = "retry"
    SKIP = "skip"
    CRM = "crm"
    BOOKS = "books"
    PICK = "pick"
    CREATE = "create"
    APPROVE = "approve"
    REJECT = "reject"


@app.callback()
def common(
    config: Annotated[Path | None, typer.Option(help="The settings file; ./ledgerline.yaml if there is one.")] = None,
) -> None:
    """Keep a firm's CRM and its books in step."""
    if config is not None:
        os.environ["LEDGERLINE_CONFIG"] = str(config)


@app.command()
def up() -> None:
    """Run everything on this machine; against the sandbox where no account is configured. Ctrl-C stops all of it."""
    from starters.up import run_up

    _run(run_up())


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Keep the data folder of the demo, to look into it.")] = False,  # noqa: FBT002
) -> None:
    """Tell a story on free ports: changes, crashes, outages; check every step on the other side. Exits 0 or 1."""
    from starters.demo.run import run_demo

    _run(run_demo(keep=keep))


@app.command()
def worker() -> None:
    """Run one worker. Start as many as you like; they share the accounts' quotas."""
    _become("worker", "work")


@app.command()
def web() -> None:
    """Run the webhook receiver."""
    _become("worker", "web")


@app.command()
def connect(
    system: Annotated[SystemName, typer.Argument(help="Which of the connection's two accounts.")],
    connection: OfConnection = None,
    paste: Annotated[bool, typer.Option("--paste", help="Paste the address: the browser is elsewhere.")] = False,  # noqa: FBT002
    account: Annotated[str | None, typer.Option(help="The FreshBooks account, if you have several.")] = None,
) -> None:
    """Connect an account: agree in the browser; the tokens are kept here, sealed, and renewed by themselves."""
    named = ["--connection", connection] if connection else []
    picked = ["--account", account] if account else []
    _become("worker", "connect", system.value, *named, *picked, *(["--paste"] if paste else []))


@app.command()
def disconnect(
    system: Annotated[SystemName, typer.Argument(help="Which of the connection's two accounts.")],
    connection: OfConnection = None,
) -> None:
    """Revoke an account's tokens and forget them. Links stay: connecting again creates nothing twice."""
    _become("worker", "disconnect", system.value, *(["--connection", connection] if connection else []))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def sandbox(context: typer.Context) -> None:
    """Run stand-ins of Capsule, FreshBooks and Zoho CRM: --capsule-port P --freshbooks-port Q --ledger FILE …."""
    _become("sandbox", *context.args)


@app.command()
def codec() -> None:
    """Decrypt payloads for the Temporal UI, for whoever can reach this server: keep it on loopback."""
    from starters.codec import serve_codec

    _run(serve_codec())


@app.command()
def schedules() -> None:
    """Create or update the Temporal schedules of every connection; what an operator paused stays paused."""
    from starters.operators import make_schedules

    _run(make_schedules())


@app.command()
def status(
    record: Annotated[str | None, typer.Argument(help="7, party:7, client:90210; all if none.")] = None,
    connection: OfConnection = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,  # noqa: FBT002
) -> None:
    """Show what is in step and what waits, or how one record stands. Exits 1 if a person is needed."""
    from starters.status import status as run

    _run(run(record, connection, as_json=as_json))


@holds.command("list")
def list_holds(reason: Reason = None) -> None:
    """List what waits for a person, oldest first."""
    from starters.holds import list_holds as run

    _run(run(reason))


@holds.command("show")
def show_hold(hold: HoldId) -> None:
    """Show why one sync is held, and the choices."""
    from starters.holds import show_hold as run

    _run(run(hold))


@holds.command("resolve")
def resolve_hold(
    hold: HoldId,
    choice: Annotated[ChoiceName, typer.Argument(help="What to do.")],
    client: Annotated[int | None, typer.Option(help="The FreshBooks client to pick.")] = None,
    party: Annotated[int | None, typer.Option(help="The party of the CRM to pick, where it is about parties.")] = None,
) -> None:
    """Decide one hold."""
    from starters.holds import resolve_holds
    from workflows.models import Resolution

    _run(resolve_holds([hold], Resolution(choice=choice.value, client_id=client, party_id=party)))


@holds.command("retry")
def retry_holds(
    hold: Annotated[list[str] | None, typer.Argument(help="Ids, as `holds list` shows them; all if none.")] = None,
    reason: Reason = None,
) -> None:
    """Try again: the holds named, or all of them, or all of one reason."""
    _run(_in_bulk(hold, reason, "retry"))


@holds.command("skip")
def skip_holds(hold: Annotated[list[str], typer.Argument(help="Ids, as `holds list` shows them.")]) -> None:
    """Leave these changes alone; the next change of each record is synced again."""
    _run(_in_bulk(hold, None, "skip"))


@audit.command("show")
def show_record(record: Written, connection: OfConnection = None, values: WithValues = False) -> None:  # noqa: FBT002
    """Show every write to a record, newest first."""
    from starters.audit import show_record as run

    _run(run(record, connection, values=values))


@audit.command("explain")
def explain_field(
    record: Written,
    field: Annotated[str, typer.Argument(help="A field, such as email of a client or amount of an estimate.")],
    connection: OfConnection = None,
    values: WithValues = False,  # noqa: FBT002
) -> None:
    """Say which event, rule, request and answer made the value of one field."""
    from starters.audit import explain_field as run

    _run(run(record, field, connection, values=values))


@audit.command("verify")
def verify_log(
    anchor: Annotated[list[str] | None, typer.Option(help="SEQ:HASH, as it was kept outside.")] = None,
) -> None:
    """Check that no row of the audit log was changed, removed, moved or added. Exits 0 or 1."""
    from starters.audit import verify_log as run

    _run(run(anchor or []))


@audit.command("anchor")
def write_anchor() -> None:
    """Write down the head of the audit log and print it, to be kept where nobody can change it."""
    from starters.audit import write_anchor as run

    _run(run())


@app.command()
def erase(
    record: Record,
    connection: OfConnection = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002
) -> None:
    """Erase every value that is kept of a person's record; ids and the proof of the audit log stay."""
    from starters.erasure import erase_record

    _run(erase_record(record, connection, sure=yes))


@alerts.command("list")
def list_alerts() -> None:
    """List what needs a person, and who was told when."""
    from starters.alerts import list_alerts as run

    _run(run())


@alerts.command("test")
def test_alerts() -> None:
    """Send a test message to every channel. Exits 1 if one of them does not take it."""
    from starters.alerts import try_channels as run

    _run(run())


@app.command()
def bill(
    connection: OfConnection = None,
    *,
    client: Annotated[int | None, typer.Option(help="Only this client: its id in FreshBooks.")] = None,
    until: Annotated[str | None, typer.Option(help="The last day to bill; by default that of the last period.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be billed.")] = False,
) -> None:
    """Make invoices of the hours that are not billed yet. Each entry is billed once, whatever happens in between."""
    from starters.billing import bill as run

    _run(run(connection, client, until, plan=plan))


@report.command("billing")
def report_billing(
    connection: OfConnection = None,
    *,
    period: Annotated[str | None, typer.Option(help="A month, such as 2026-03; by default the last whole one.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="Instead of a month: the first day, 2026-01-01.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="With --from: the last day, itself included.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page that can be printed.")] = None,
    xlsx: Annotated[Path | None, typer.Option(help="Write a workbook, one sheet for each table.")] = None,
) -> None:
    """Report hours, invoices, payments, what is outstanding, and how long billing takes. The files hold names."""
    from starters.billing_report import report_billing as run

    _run(run(connection, period=period, first=first, last=last, html=html, xlsx=xlsx))


@app.command()
def doctor() -> None:
    """Check settings, key, store, Temporal, workers, tokens and schedules, and say what to do about each finding."""
    from starters.doctor import run_doctor

    _run(run_doctor())


def main() -> None:
    """Run the command line; a mistake of the user's is one clear text and exit code 2, never a traceback."""
    try:
        app()
    except SystemExit as done:
        _leave(done.code if isinstance(done.code, int) else 1)
    except Stop as reason:
        sys.stderr.write(f"{reason}\n")
        _leave(MISTAKE)


def _run(command: Coroutine[Any, Any, int]) -> None:
    raise typer.Exit(asyncio.run(command))


async def _in_bulk(named: list[str] | None, reason: str | None, choice: Literal["retry", "skip"]) -> int:
    from starters.holds import all_held, resolve_holds
    from workflows.models import Resolution

    return await resolve_holds(named or await all_held(reason), Resolution(choice=choice))


def _become(module: str, *arguments: str) -> None:
    """Replace this process: nothing of the command line stays in memory, and signals reach the right one."""
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606


def _leave(code: int) -> None:
    """End at once: the Temporal SDK can abort a short-lived process at interpreter exit, after all work is done."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
