"""Opportunities as the tests of Capsule's stand-in make and change them."""

from typing import Any

import httpx

from tests.sandbox.conftest import new_party

NEW, QUALIFIED, PROPOSAL, NEGOTIATION, WON, LOST = range(31_001, 31_007)
ENQUIRY, AGREED, DECLINED = 31_007, 31_009, 31_010
EVERYTHING = {"embed": "tags,fields,party,milestone"}


async def new_opportunity(capsule: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    """Create an opportunity of a new party (Website rebuild, at Proposal, unless told otherwise) and return it."""
    party = fields.pop("party", None) or {"id": (await new_party(capsule))["id"]}
    draft = {"party": party, "name": "Website rebuild", "milestone": {"id": PROPOSAL}, **fields}
    response = await capsule.post("/opportunities", params={"embed": "tags,fields"}, json={"opportunity": draft})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()["opportunity"]
    return made


async def put(capsule: httpx.AsyncClient, opportunity_id: int, **fields: Any) -> httpx.Response:
    return await capsule.put(
        f"/opportunities/{opportunity_id}", params={"embed": "tags,fields"}, json={"opportunity": fields}
    )


async def changed(capsule: httpx.AsyncClient, opportunity_id: int, **fields: Any) -> dict[str, Any]:
    """Change an opportunity and return it with tags and fields."""
    response = await put(capsule, opportunity_id, **fields)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["opportunity"]
    return found


async def read(capsule: httpx.AsyncClient, opportunity_id: int, **query: str) -> dict[str, Any]:
    """Return an opportunity as it is now."""
    response = await capsule.get(f"/opportunities/{opportunity_id}", params=query)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["opportunity"]
    return found


async def ids(capsule: httpx.AsyncClient, path: str, **query: Any) -> list[int]:
    """Return the ids of a list of opportunities."""
    response = await capsule.get(path, params=query)
    assert response.status_code == 200, response.text
    return [each["id"] for each in response.json()["opportunities"]]
