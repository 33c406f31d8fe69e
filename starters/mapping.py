"""`ledgerline mapping …`, as it is typed. What it needs of both systems' models is in the worker, which runs it."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

mapping = typer.Typer(
    help="See what a change of a mapping would do before it is made: check, schema, record, diff.", no_args_is_help=True
)

MOST_RECORDS = 1000
WithValues = Annotated[bool, typer.Option("--values", help="Show what would be written, which is personal data.")]


class CrmName(StrEnum):
    """Whose records a mapping file is for."""

    CAPSULE = "capsule"
    ZOHO_CRM = "zoho_crm"


@mapping.command("check")
def check(
    file: Annotated[
        Path | None, typer.Argument(help="A mapping file or a settings file; the settings if none.")
    ] = None,
    crm: Annotated[CrmName, typer.Option(help="Which CRM a mapping file is for.")] = CrmName.CAPSULE,
) -> None:
    """Show every mistake in mappings and in the opportunities' settings, with line and column. Exits 0 or 1."""
    _run("check", *([str(file)] if file else []), "--crm", crm.value)


@mapping.command("schema")
def schema() -> None:
    """Print the JSON schema of mapping files, for editors."""
    _run("schema")


@mapping.command("record")
def record(
    file: Annotated[Path, typer.Argument(help="The file to write; only you may read it.")],
    connection: Annotated[str, typer.Option(help="Whose CRM to read.")],
    limit: Annotated[
        int, typer.Option(min=1, help="So many parties, and so many opportunities, at most.")
    ] = MOST_RECORDS,
) -> None:
    """Write records of a connection's CRM to a file, to compare mappings with. It holds personal data."""
    _run("record", str(file), "--connection", connection, "--limit", str(limit))


@mapping.command("diff")
def diff(
    old: Annotated[Path, typer.Argument(help="A mapping file, or a settings file.")],
    new: Annotated[Path, typer.Argument(help="Another one of the same kind.")],
    inputs: Annotated[Path, typer.Option(help="What `mapping record` wrote.")],
    connection: Annotated[str | None, typer.Option(help="Of two settings files: which; else the one recorded.")] = None,
    values: WithValues = False,  # noqa: FBT002
) -> None:
    """Show what would differ under another mapping. Exits 0 if nothing, 1 if something, 2 if it cannot be compared."""
    named = ["--connection", connection] if connection else []
    _run("diff", str(old), str(new), "--inputs", str(inputs), *named, *(["--values"] if values else []))


def _run(*arguments: str) -> NoReturn:
    """Replace this process by the worker's."""
    os.execv(sys.executable, [sys.executable, "-m", "worker.mapping_command", *arguments])  # noqa: S606
