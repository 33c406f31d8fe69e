"""Estimates and invoices as a caller of the API makes, changes and lists them."""

from typing import Any

import httpx

from tests.sandbox.conftest import new_client

ACCOUNT = "/accounting/account/sBx7Qz"
INVOICES, ESTIMATES = f"{ACCOUNT}/invoices/invoices", f"{ACCOUNT}/estimates/estimates"
ITEMS, TAXES, STAFF = f"{ACCOUNT}/items/items", f"{ACCOUNT}/taxes/taxes", f"{ACCOUNT}/users/staffs"
TEAM = "/auth/api/v1/businesses/880001/team_members"
PATHS = {"invoice": INVOICES, "estimate": ESTIMATES}
WITH_LINES = {"include[]": "lines"}


def line(name: str = "Design", cost: str = "500.00", code: str = "EUR", **more: Any) -> dict[str, Any]:
    return {"name": name, "qty": 1, "unit_cost": {"amount": cost, "code": code}, **more}


async def asked(freshbooks: httpx.AsyncClient, kind: str, **draft: Any) -> httpx.Response:
    """Ask for a document of the second of March 2026 with one line of 500 euros, for a new client unless one is named.

    A value of None leaves its key out.
    """
    if "customerid" not in draft:
        draft["customerid"] = (await new_client(freshbooks, organization="Quist AB", email="ap@quist.example"))["id"]
    body = {"create_date": "2026-03-02", "lines": [line()], **draft}
    body = {key: value for key, value in body.items() if value is not None}
    return await freshbooks.post(PATHS[kind], params=WITH_LINES, json={kind: body})


async def new(freshbooks: httpx.AsyncClient, kind: str, **draft: Any) -> dict[str, Any]:
    """Make a document, and return it with its lines."""
    return said(await asked(freshbooks, kind, **draft), kind)


async def put(freshbooks: httpx.AsyncClient, kind: str, document: dict[str, Any], **fields: Any) -> httpx.Response:
    return await freshbooks.put(f"{PATHS[kind]}/{document['id']}", params=WITH_LINES, json={kind: fields})


async def changed(freshbooks: httpx.AsyncClient, kind: str, document: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Change a document, and return it with its lines."""
    return said(await put(freshbooks, kind, document, **fields), kind)


async def read(freshbooks: httpx.AsyncClient, kind: str, document: dict[str, Any]) -> dict[str, Any]:
    """Read a document with its lines."""
    return said(await freshbooks.get(f"{PATHS[kind]}/{document['id']}", params=WITH_LINES), kind)


async def listed(freshbooks: httpx.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    """List a page of records; the key of the list is the last word of the path."""
    response = await freshbooks.get(path, params=query)
    assert response.status_code == 200, response.text
    key = path.rpartition("/")[2]
    rows: list[dict[str, Any]] = response.json()["response"]["result"]["staff" if key == "staffs" else key]
    return rows


async def ids(freshbooks: httpx.AsyncClient, kind: str, **searches: Any) -> list[int]:
    query = {f"search[{key}]": value for key, value in searches.items()}
    return sorted(each["id"] for each in await listed(freshbooks, PATHS[kind], **query))


def said(response: httpx.Response, key: str) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["response"]["result"][key]
    return found


def refusal(response: httpx.Response) -> tuple[int, int, str]:
    """Return the status, the number of the error, and the field that it is about."""
    error = response.json()["response"]["errors"][0]
    return response.status_code, error["errno"], error["field"]
