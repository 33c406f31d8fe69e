"""Opportunities of Capsule over a scripted transport, and the answers that it gives."""

from typing import Any

import httpx

from connectors.capsule.opportunities import CapsuleOpportunities
from tests.connectors.answering import Script, Step, capsule

ANN = {"id": 6, "username": "ann", "name": "Ann Bell"}
WON = {
    "id": 14,
    "name": "Won",
    "complete": True,
    "probability": 100,
    "pipeline": {"id": 3, "name": "Sales"},
    "createdAt": "2026-01-02T10:00:00Z",
    "updatedAt": "2026-01-02T10:00:00Z",
}
REBUILD: dict[str, Any] = {
    "id": 701,
    "party": {"id": 11, "type": "organisation", "name": "Acme Ltd", "pictureURL": "https://cdn.example/org.svg"},
    "name": "Website rebuild",
    "description": None,
    "owner": ANN,
    "team": None,
    "milestone": {"id": 14, "name": "Won"},
    "value": {"amount": 1250.5, "currency": "USD"},
    "expectedCloseOn": "2026-02-01",
    "probability": 100,
    "durationBasis": "FIXED",
    "duration": None,
    "closedOn": "2026-01-31",
    "lostReason": None,
    "createdAt": "2026-01-02T10:00:00Z",
    "updatedAt": "2026-01-31T09:00:00Z",
    "lastContactedAt": None,
    "lastStageChangedAt": "2026-01-31T09:00:00Z",
    "lastOpenMilestone": {"id": 13, "name": "Proposal"},
    "tags": [{"id": 5, "name": "Retainer", "dataTag": False}],
    "fields": [{"id": 90, "definition": {"id": 731, "name": "Invoice number"}, "value": "INV-7", "tagId": None}],
}


def opportunities(*steps: Step) -> tuple[CapsuleOpportunities, Script]:
    api, script = capsule(*steps)
    return CapsuleOpportunities(api.calls), script


def one(**values: Any) -> httpx.Response:
    return httpx.Response(200, json={"opportunity": {"id": 701, **values}})
