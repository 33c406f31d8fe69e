"""Time entries, projects and services as a caller of the API makes, changes and lists them."""

from typing import Any

import httpx

TRACKING, PROJECTS, COMMENTS = (f"/{family}/business/880001" for family in ("timetracking", "projects", "comments"))
ENTRIES, PROJECT, SERVICE = f"{TRACKING}/time_entries", f"{PROJECTS}/project", f"{COMMENTS}/service"
MISSING = {"error": "Requested resource could not be found."}
NORA = 7002


def drafted(**fields: Any) -> dict[str, Any]:
    """Return the draft of an hour and a half on the second of March 2026, ten o'clock in Berlin."""
    return {"is_logged": True, "started_at": "2026-03-02T09:00:00.000Z", "duration": 5400, "billable": True, **fields}


async def asked(freshbooks: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    """Ask for a time entry. A value of None leaves its key out."""
    draft = {key: value for key, value in drafted(**fields).items() if value is not None}
    return await freshbooks.post(ENTRIES, json={"time_entry": draft})


async def logged(freshbooks: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    return said(await asked(freshbooks, **fields), "time_entry")


async def replaced(freshbooks: httpx.AsyncClient, entry: dict[str, Any], **fields: Any) -> httpx.Response:
    return await freshbooks.put(f"{ENTRIES}/{entry['id']}", json={"time_entry": fields})


async def read(freshbooks: httpx.AsyncClient, entry: dict[str, Any]) -> dict[str, Any]:
    return said(await freshbooks.get(f"{ENTRIES}/{entry['id']}"), "time_entry")


async def page(freshbooks: httpx.AsyncClient, path: str = ENTRIES, **query: Any) -> dict[str, Any]:
    response = await freshbooks.get(path, params=query)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def ids(freshbooks: httpx.AsyncClient, path: str = ENTRIES, **query: Any) -> list[int]:
    """Return the ids of a list in its order; its key is the last word of the path."""
    rows = (await page(freshbooks, path, **query))[path.rpartition("/")[2]]
    return [each["id"] for each in rows]


async def new_project(freshbooks: httpx.AsyncClient, title: str = "Website", **fields: Any) -> dict[str, Any]:
    draft = {"title": title, "description": None, **fields}
    return said(await freshbooks.post(PROJECT, json={"project": draft}), "project")


async def new_service(freshbooks: httpx.AsyncClient, name: str = "Design") -> dict[str, Any]:
    return said(await freshbooks.post(SERVICE, json={"service": {"name": name}}), "service")


def said(response: httpx.Response, key: str) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()[key]
    return found


def wrong(response: httpx.Response) -> dict[str, str]:
    """Return what is wrong, by field."""
    body = response.json()
    assert (response.status_code, body["errno"]) == (422, 2001), response.text
    found: dict[str, str] = body["error"]
    return found
