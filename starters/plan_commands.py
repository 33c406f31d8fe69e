"""`ledgerline plan …`, `ledgerline apply` and `ledgerline backfill`, as they are typed."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs: `--help` must not take seconds.

import asyncio
from pathlib import Path
from typing import Annotated

import typer

plan = typer.Typer(help="See what a sync of everything would do, before anything is written: also list, show, stop.")

PlanId = Annotated[str, typer.Argument(metavar="PLAN", help="The id, as `plan list` shows it.")]
Sample = Annotated[int, typer.Option(min=0, help="How many items of each kind to print; they quote people's data.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write all of it to this file, for programs.")]
Html = Annotated[Path | None, typer.Option("--html", help="Write a page to this file, to be read and filtered.")]


@plan.callback(invoke_without_command=True)
def make_plan(
    context: typer.Context,
    connection: Annotated[str | None, typer.Option(help="Needed only if there are several.")] = None,
    json: Json = None,
    html: Html = None,
    sample: Sample = 5,
) -> None:
    """List both sides and show what a sync would do. Writes nothing to either system."""
    if context.invoked_subcommand is None:
        from starters.plans import Output
        from starters.plans import make_plan as run

        raise typer.Exit(asyncio.run(run(connection, Output(sample, json, html))))


@plan.command("list")
def list_plans() -> None:
    """List all plans, newest first."""
    from starters.plans import list_plans as run

    raise typer.Exit(asyncio.run(run()))


@plan.command("show")
def show_plan(name: PlanId, json: Json = None, html: Html = None, sample: Sample = 5) -> None:
    """Show a plan again, or write it to files; also how far it has been applied."""
    from starters.plans import Output
    from starters.plans import show_plan as run

    raise typer.Exit(asyncio.run(run(name, Output(sample, json, html))))


@plan.command("stop")
def stop_plan(name: PlanId) -> None:
    """Stop making or applying a plan. What was begun is finished; `ledgerline apply` goes on with the rest."""
    from starters.plans import stop_plan as run

    raise typer.Exit(asyncio.run(run(name)))


def apply_plan(
    name: PlanId,
    allow_creates: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="You agree to so many new records."),
    ] = None,
) -> None:
    """Do exactly what a plan says; leave alone what has moved since. Ctrl-C leaves it running."""
    from starters.plans import apply_plan as run

    raise typer.Exit(asyncio.run(run(name, allow_creates)))


def backfill(
    connection: Annotated[str | None, typer.Option(help="Needed only if there are several.")] = None,
    *,
    allow_creates: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="You agree to so many new records.")
    ] = None,
    pause: Annotated[bool, typer.Option("--pause", help="Begin nothing more; the same command goes on later.")] = False,
) -> None:
    """Bring in step what was there before: list both sides, forecast, apply. Goes on where one was paused."""
    from starters.backfill import pause_backfill, run_backfill

    raise typer.Exit(asyncio.run(pause_backfill(connection) if pause else run_backfill(connection, allow_creates)))
