"""Answers of Zoho CRM in the shapes that its documentation shows."""

from typing import Any

import httpx

ADA_ID, FIRM_ID, BOT_ID = "4876876000000412001", "4876876000000411001", "4876876000000225001"
ADA: dict[str, Any] = {
    "id": ADA_ID,
    "Last_Name": "Okafor",
    "First_Name": "Ada",
    "Email": "ada@okafor.test",
    "Account_Name": {"name": "Okafor Ltd", "id": FIRM_ID},
    "Owner": {"name": "Ann Bell", "id": BOT_ID, "email": "ann@acme.test"},
    "Modified_By": {"name": "Sync Bot", "id": BOT_ID},
    "Modified_Time": "2026-03-08T09:10:11+03:00",
    "FreshBooks_ID": "fb-77",
    "Tag": [],
    "$approval_state": "approved",
}
NOTHING = httpx.Response(204)


def page(*rows: dict[str, Any], token: str | None = None, more: bool | None = None) -> httpx.Response:
    info = {"per_page": 200, "count": len(rows), "more_records": more if more is not None else token is not None}
    return httpx.Response(200, json={"data": list(rows), "info": {**info, "next_page_token": token}})


def saved(record_id: str = ADA_ID, message: str = "record added", **more: Any) -> dict[str, Any]:
    details = {"id": record_id, "Modified_Time": "2026-03-09T12:00:01+00:00", "$approval_state": "approved"}
    return {"code": "SUCCESS", "details": details, "message": message, "status": "success", **more}


def failed(code: str, message: str = "no", **details: Any) -> dict[str, Any]:
    return {"code": code, "details": details, "message": message, "status": "error"}


def results(*items: dict[str, Any], status: int = 200, key: str = "data") -> httpx.Response:
    return httpx.Response(status, json={key: list(items)})
