"""How reports and their mismatches stand in the database: as numbers in clear, and as sealed details."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from runtime.keys import KeyRing
from store.reconciliation_models import AmountSum, Drift, Mismatch, ReportHead, SideCount
from store.reconciliation_tables import MismatchRow, ReconciliationRow
from store.sealed import seal, unseal


@dataclass(frozen=True)
class NewReport:
    """A comparison that is about to be made."""

    id: str
    connection: str
    flow: str
    mapping_version: str


@dataclass(frozen=True)
class Outcome:
    """What a comparison came to: numbers alone."""

    sides: tuple[SideCount, ...] = ()
    in_step: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    causes: Mapping[str, int] = field(default_factory=dict)
    new_mismatches: int = 0
    sums: tuple[AmountSum, ...] = ()
    repaired: int = 0


@dataclass(frozen=True)
class ListProgress:
    """How far one list has been read: the next page (0: none), pages and records read so far in this pass over it."""

    next_page: int = 1
    pages: int = 0
    records: int = 0


def outcome_text(outcome: Outcome) -> str:
    """Return an outcome as it is kept."""
    return json.dumps(asdict(outcome), sort_keys=True)


def progress_text(progress: Mapping[str, ListProgress]) -> str:
    """Return how far the lists were read as it is kept."""
    return json.dumps({name: asdict(each) for name, each in progress.items()}, sort_keys=True)


def progress_of(text: str) -> dict[str, ListProgress]:
    """Return how far each list was read."""
    return {name: ListProgress(**each) for name, each in json.loads(text).items()}


def head_of(row: ReconciliationRow) -> ReportHead:
    """Return a report as it stands."""
    said = json.loads(row.summary)
    return ReportHead(
        id=row.id,
        connection=row.connection,
        flow=row.flow,
        state=row.state,  # type: ignore[arg-type]  # the store writes no other
        started_at=row.started_at,
        ended_at=row.ended_at,
        sides=tuple(SideCount(**each) for each in said.get("sides", ())),
        in_step=said.get("in_step", 0),
        counts=said.get("counts", {}),
        causes=said.get("causes", {}),
        new_mismatches=said.get("new_mismatches", 0),
        sums=tuple(AmountSum(**each) for each in said.get("sums", ())),
        repaired=said.get("repaired", 0),
        content_hash=row.content_hash,
        explanation=row.explanation,
    )


def mismatch_row(keys: KeyRing, report_id: str, found: Mismatch, fingerprint: str) -> dict[str, Any]:
    """Return a mismatch ready to be added. Touches no database, so a thread may do it."""
    detail = {
        "crm_ids": found.crm_ids,
        "books_ids": found.books_ids,
        "name": found.name,
        "drifts": [asdict(each) for each in found.drifts],
        "explanation": found.explanation,
    }
    return {
        "report_id": report_id,
        "number": found.number,
        "kind": found.kind,
        "cause": found.cause,
        "repair": found.repair,
        "fingerprint": fingerprint,
        "is_new": found.is_new,
        "sealed_detail": seal(keys, detail, *_place(report_id, found.number)),
    }


def mismatch_of(keys: KeyRing, row: MismatchRow) -> Mismatch:
    """Return a mismatch as it was found; one that was forgotten has its kind and cause, and nothing of the records."""
    plain = Mismatch(row.number, row.kind, row.cause, row.repair, is_new=row.is_new)  # type: ignore[arg-type]  # the store writes no others
    if not row.sealed_detail:
        return replace(plain, explanation="the values were forgotten, or erased")
    said = unseal(keys, row.sealed_detail, *_place(row.report_id, row.number))
    return replace(
        plain,
        crm_ids=tuple(said["crm_ids"]),
        books_ids=tuple(said["books_ids"]),
        name=said["name"],
        drifts=tuple(Drift(**each) for each in said["drifts"]),
        explanation=said["explanation"],
    )


def _place(report_id: str, number: int) -> tuple[str, ...]:
    return ("mismatches", "detail", report_id, str(number))
