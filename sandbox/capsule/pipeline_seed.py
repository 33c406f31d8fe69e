"""The pipelines, milestones and lost reasons that every account has from the start."""

from sandbox.ledger import Record

SINCE = "2024-01-02T09:00:00Z"
LATER = "2024-06-03T09:00:00Z"


def _pipeline(number: int, name: str, at: str) -> Record:
    return {"id": number, "name": name, "description": None, "archivedAt": None, "createdAt": at, "updatedAt": at}


def _milestones(pipeline: Record, first_id: int, *rows: tuple[str, int, int | None]) -> list[Record]:
    """Return milestones of name, probability, and the days after which an opportunity is stale: None closes it."""
    at = pipeline["createdAt"]
    return [
        {
            "id": first_id + place,
            "name": name,
            "description": None,
            "complete": days is None,
            "probability": probability,
            "daysUntilStale": days,
            "pipeline": {"id": pipeline["id"], "name": pipeline["name"]},
            "createdAt": at,
            "updatedAt": at,
        }
        for place, (name, probability, days) in enumerate(rows)
    ]


def _lost_reason(number: int, name: str, *, counts: bool) -> Record:
    return {"id": number, "name": name, "includedForConversion": counts, "createdAt": SINCE, "updatedAt": SINCE}


SALES, CONSULTING = _pipeline(5001, "Sales", SINCE), _pipeline(5002, "Consulting", LATER)
PIPELINES = [SALES, CONSULTING]
MILESTONES = [
    *_milestones(
        SALES, 31_001,
        ("New", 10, 14), ("Qualified", 30, 30), ("Proposal", 50, 30), ("Negotiation", 75, 21),
        ("Won", 100, None), ("Lost", 0, None),
    ),
    *_milestones(
        CONSULTING, 31_007,
        ("Enquiry", 10, 14), ("Proposal", 40, 30), ("Agreed", 100, None), ("Declined", 0, None),
    ),
]  # fmt: skip
LOST_REASONS = [
    _lost_reason(7001, "Price", counts=True),
    _lost_reason(7002, "Timing", counts=True),
    _lost_reason(7003, "Duplicate", counts=False),
]
