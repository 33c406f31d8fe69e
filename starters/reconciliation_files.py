"""A mismatch report as files in a folder, which quote people's data: only their owner may read them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from runtime.errors import Stop
from starters.billing_report import keep
from starters.reconciliation_page import mismatch_page
from starters.reconciliation_report import MismatchReport
from starters.reconciliation_workbook import mismatch_json, mismatch_workbook

FORMATS: Mapping[str, Callable[[MismatchReport], bytes]] = {
    "html": lambda report: mismatch_page(report).encode(),
    "xlsx": mismatch_workbook,
    "json": lambda report: mismatch_json(report).encode(),
}


def chosen_formats(asked: str | None, folder: Path | None) -> tuple[str, ...]:
    """Return the formats of `html,xlsx`: all if none is named, none without a folder. Raises Stop."""
    if folder is None:
        if asked is not None:
            raise Stop("say where the files shall stand: --out FOLDER")
        return ()
    if asked is None:
        return tuple(FORMATS)
    formats = tuple(dict.fromkeys(each.strip().lower() for each in asked.split(",") if each.strip()))
    unknown = [each for each in formats if each not in FORMATS]
    if unknown or not formats:
        raise Stop(f"{', '.join(unknown) or 'nothing'} is no format: choose of {','.join(FORMATS)}")
    return formats


def write_files(report: MismatchReport, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write a report in each format, and return the files. Raises Stop."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Stop(f"{folder} cannot be made: {error.strerror}") from error
    written = []
    for each in formats:
        path = folder / f"mismatches-{report.head.id.replace('/', '-')}.{each}"
        keep(path, FORMATS[each](report))
        written.append(path)
    return written
