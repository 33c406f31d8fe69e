"""`ledgerline reconcile`, as it is typed."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs: `--help` must not take seconds.

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from runtime.errors import Stop


def reconcile(
    connection: Annotated[str | None, typer.Option(help="Needed only if there are several.")] = None,
    flow: Annotated[str | None, typer.Option(help="What to compare; clients if nothing is said.")] = None,
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Let the syncs mend what they can.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write the report to files here.")] = None,
    formats: Annotated[str | None, typer.Option("--format", help="Of html,xlsx,json; all if nothing is said.")] = None,
    listing: Annotated[bool, typer.Option("--list", help="List earlier reports and the trend.")] = False,
    show: Annotated[str | None, typer.Option(metavar="REPORT", help="Show a report again.")] = None,
) -> None:
    """Compare both sides in full and report what differs. Exits 0: nothing; 1: something; 2: not all was compared."""
    if sum((repair, listing, show is not None)) > 1:
        raise Stop("ask for one thing at a time: --repair compares anew, --list and --show look at what was found")
    from starters.reconciliation_files import chosen_formats
    from starters.reconciliations import Output, list_reports, show_report
    from starters.reconciliations import reconcile as run

    output = Output(out, chosen_formats(formats, out))
    if listing:
        code = asyncio.run(list_reports(connection, flow))
    elif show is not None:
        code = asyncio.run(show_report(show, output))
    else:
        code = asyncio.run(run(connection, flow or "clients", output, repair=repair))
    raise typer.Exit(code)
