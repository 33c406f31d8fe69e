"""`python -m worker.mapping_command …`: what `ledgerline mapping` runs, because it needs both systems' models.

Exit codes: 0 nothing to say; 1 mistakes (`check`), or something differs (`diff`); 2 it could not be done.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from runtime.errors import Stop
from runtime.load import DEFAULT_FILE, load_settings
from runtime.logs import set_up_logs
from worker.mapping_check import check_file
from worker.mapping_diff import compare_clients
from worker.mapping_diff_opportunities import compare_opportunities
from worker.mapping_diff_text import Difference
from worker.mapping_files import CRMS, NotUsable
from worker.mapping_inputs import read_inputs
from worker.mapping_record import Asked, record
from worker.mapping_schema import mapping_schema
from worker.mapping_sides import read_sides

DONE, SOMETHING, CANNOT = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Run one of the commands and return the exit code."""
    typed = _parser().parse_args(arguments)
    try:
        return COMMANDS[typed.command](typed)
    except Stop as error:
        sys.stderr.write(f"{error}\n")
        return CANNOT


def check(typed: argparse.Namespace) -> int:
    """Print every mistake in a mapping file or in the settings. Raises Stop."""
    file: Path = typed.file or _settings_file()
    findings = check_file(file, typed.crm)
    for finding in findings:
        _say(str(finding))
    if findings:
        _say(f"{len(findings)} to mend; nothing of this would start")
        return SOMETHING
    _say(f"{file}: all is well")
    return DONE


def schema(_: argparse.Namespace) -> int:
    """Print the JSON schema of mapping files."""
    _say(json.dumps(mapping_schema(), indent=2, ensure_ascii=False))
    return DONE


def record_inputs(typed: argparse.Namespace) -> int:
    """Record inputs. Raises Stop."""
    settings = load_settings()
    set_up_logs("mapping", settings.log_format, "warning")
    _say(asyncio.run(record(settings, Asked(typed.connection, typed.file, typed.limit))))
    return DONE


def diff(typed: argparse.Namespace) -> int:
    """Print what another mapping would do to the recorded records. Raises Stop."""
    inputs = read_inputs(typed.inputs)
    old, new = read_sides(typed.old, typed.new, inputs.head, typed.connection)
    opportunities = compare_opportunities(old, new, inputs)
    found = Difference(old, new, inputs.head, compare_clients(old, new, inputs), opportunities)
    _say(found.text(values=typed.values))
    return SOMETHING if found else DONE


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "check": check,
    "schema": schema,
    "record": record_inputs,
    "diff": diff,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ledgerline mapping")
    commands = parser.add_subparsers(dest="command", required=True)
    checked = commands.add_parser("check")
    checked.add_argument("file", type=Path, nargs="?")
    checked.add_argument("--crm", choices=CRMS, default=CRMS[0])
    commands.add_parser("schema")
    recorded = commands.add_parser("record")
    recorded.add_argument("file", type=Path)
    recorded.add_argument("--connection", required=True)
    recorded.add_argument("--limit", type=int, default=1000)
    compared = commands.add_parser("diff")
    compared.add_argument("old", type=Path)
    compared.add_argument("new", type=Path)
    compared.add_argument("--inputs", type=Path, required=True)
    compared.add_argument("--connection")
    compared.add_argument("--values", action="store_true")
    return parser


def _settings_file() -> Path:
    file = Path(os.environ.get("LEDGERLINE_CONFIG", DEFAULT_FILE))
    if not file.exists():
        raise NotUsable(f"there is no {file} here: name the file to be checked")
    return file


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.exit(code)
