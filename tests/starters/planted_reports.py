"""Mismatch reports as the engine leaves them: what pages and files are tried on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from starters.reconciliation_report import MismatchReport
from store.reconciliation_models import AmountSum, Drift, Mismatch, ReportHead, SideCount

EVIL = '=cmd|"/c calc"!A1<script>alert(1)</script>'
BEGAN = datetime(2026, 3, 9, 5, 0, tzinfo=UTC)
HASH = "9f2c5d0e" * 8

MISMATCHES = (
    Mismatch(1, "missing-right", "unknown", "sync", ("41",), name="Ångström Mühle GmbH"),
    Mismatch(2, "missing-right", "skipped-by-rule", "none", ("42",), name="Walk-in customer", is_new=False),
    Mismatch(3, "missing-left", "unknown", "person", (), ("90007",), name="Zoë & Söhne KG"),
    Mismatch(
        4,
        "field-drift",
        "unknown",
        "sync",
        ("7",),
        ("90210",),
        "Acme Ltd",
        (Drift("email", "office@acme.test", "billing@acme.test"), Drift("phone", None, "+49 431 1234")),
    ),
    Mismatch(
        5,
        "field-drift",
        "held",
        "person",
        ("8",),
        ("90211",),
        EVIL,
        (Drift("organization", EVIL, ""),),
        "Both sides changed it on the same day.",
        is_new=False,
    ),
    Mismatch(6, "duplicate", "unknown", "person", (), ("90301", "90302"), "Bright Labs", explanation="One tax number."),
    Mismatch(7, "orphaned-link", "in-doubt", "none", ("9",), ("90212",), "Harbour Café", is_new=False),
)

HEAD = ReportHead(
    id="acme-clients-07",
    connection="acme",
    flow="clients",
    state="done",
    started_at=BEGAN,
    ended_at=BEGAN + timedelta(minutes=3, seconds=20),
    sides=(SideCount("crm", "capsule", 1_204, 13, True), SideCount("books", "freshbooks", 1_201, 13, True)),
    in_step=1_195,
    counts={"missing-right": 2, "missing-left": 1, "field-drift": 2, "duplicate": 1, "orphaned-link": 1},
    causes={"unknown": 4, "held": 1, "in-doubt": 1, "skipped-by-rule": 1},
    new_mismatches=4,
    sums=(
        AmountSum("crm", "EUR", "paid", 2, 123_450),
        AmountSum("books", "EUR", "paid", 2, 123_425),
        AmountSum("crm", "JPY", "sent", 1, 125_000),
        AmountSum("books", "KWD", "draft", 1, 99_125),
    ),
    content_hash=HASH,
)


def earlier(days: int, found: int, new: int, **changes: object) -> ReportHead:
    """Return the head of a comparison some days before, which found so much."""
    at = BEGAN - timedelta(days=days)
    counts = {"field-drift": found} if found else {}
    plain = replace(HEAD, id=f"acme-clients-{7 - days:02}", started_at=at, ended_at=at, counts=counts, sums=())
    plain = replace(plain, causes={"unknown": found} if found else {}, new_mismatches=new)
    return replace(plain, **changes)  # type: ignore[arg-type]


EARLIER = (earlier(1, 3, 0), earlier(2, 3, 3), earlier(3, 0, 0), earlier(4, 12, 2), earlier(5, 10, 10))


def planted() -> MismatchReport:
    """Return a report with something of everything."""
    return MismatchReport(HEAD, MISMATCHES, EARLIER)
