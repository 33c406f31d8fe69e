"""Hours as FreshBooks' documentation and recordings show them, and the answers that hold them."""

from collections.abc import Sequence
from typing import Any

import httpx

from connectors.freshbooks.hours import Hours
from tests.connectors.answering import Script, Step, freshbooks

ENTRY: dict[str, Any] = {
    "id": 910001,
    "identity_id": 7001,
    "timer": None,
    "is_logged": True,
    "started_at": "2026-03-02T09:00:00Z",
    "local_started_at": "2026-03-02T10:00:00",
    "local_timezone": "Europe/Stockholm",
    "created_at": "2026-03-02T11:00:01Z",
    "duration": 5400,
    "client_id": 330101,
    "project_id": 6001,
    "pending_client": None,
    "pending_project": None,
    "pending_task": None,
    "task_id": None,
    "service_id": 41,
    "note": "Kick-off",
    "active": True,
    "billable": True,
    "billed": False,
    "internal": False,
    "retainer_id": None,
}
PROJECT: dict[str, Any] = {
    "id": 6001,
    "title": "Website",
    "description": "capsule:opp:991",
    "due_date": None,
    "client_id": 330101,
    "internal": False,
    "budget": None,
    "fixed_price": None,
    "rate": "110.50",
    "billing_method": "project_rate",
    "project_type": "hourly_rate",
    "active": True,
    "complete": False,
    "sample": False,
    "created_at": "2026-02-01T08:00:00",
    "updated_at": "2026-02-02T08:00:00",
    "services": [{"business_id": 880001, "id": 41, "name": "Design", "billable": True, "vis_state": 0}],
    "billed_amount": "0.00",
    "billed_status": "unbilled",
    "retainer_id": None,
    "expense_markup": "0",
    "group_id": 5,
}
DESIGN: dict[str, Any] = {
    "business_id": 880001,
    "id": 41,
    "name": "Design",
    "billable": True,
    "project_default": False,
    "vis_state": 0,
}
NORA: dict[str, Any] = {
    "uuid": "u-1",
    "first_name": "Nora",
    "last_name": "Quist",
    "email": "nora@quist.test",
    "business_id": 880001,
    "business_role_name": "owner",
    "active": True,
    "identity_id": 7001,
}
MISSING = {"error": "Requested resource could not be found."}


def hours(*steps: Step, business_id: int | None = 880001) -> tuple[Hours, Script]:
    api, script = freshbooks(*steps)
    return Hours(api, business_id), script


def entry(**values: Any) -> httpx.Response:
    return httpx.Response(200, json={"time_entry": {**ENTRY, **values}})


def project(**values: Any) -> httpx.Response:
    return httpx.Response(200, json={"project": {**PROJECT, **values}, "abilities": [{"name": "edit", "value": True}]})


def listed(key: str, rows: Sequence[dict[str, Any]], page: int = 1, pages: int = 1, total: int = 0) -> httpx.Response:
    meta = {"sort": [], "total": total or len(rows), "per_page": 100, "page": page, "pages": pages}
    return httpx.Response(200, json={key: list(rows), "meta": meta})


def entries(*rows: dict[str, Any], page: int = 1, pages: int = 1) -> httpx.Response:
    return listed("time_entries", [{**ENTRY, **row} for row in rows], page, pages)


def no(status: int, body: Any, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers=headers)
