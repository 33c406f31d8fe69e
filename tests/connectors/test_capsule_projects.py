"""Requests and answers of Capsule's projects, as its documentation shows them."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.capsule.projects import CapsuleProjects
from connectors.errors import NotFound
from tests.connectors.answering import Script, Step, capsule

PROJECT: dict[str, Any] = {
    "id": 71,
    "name": "New shop",
    "status": "OPEN",
    "party": {"id": 11, "type": "organisation", "name": "Acme Ltd"},
    "opportunity": {"id": 5, "name": "New shop"},
    "stage": {"id": 3, "name": "Build"},
    "fields": [{"id": 90, "definition": {"id": 7, "name": "FreshBooks project id"}, "value": "4711", "tagId": None}],
}


def projects(*steps: Step) -> tuple[CapsuleProjects, Script]:
    api, script = capsule(*steps)
    return CapsuleProjects(api.calls), script


async def test_a_project_names_its_party_its_opportunity_and_its_custom_fields() -> None:
    """S3: time can only be billed to the opportunity that its project belongs to."""
    api, script = projects(httpx.Response(200, json={"kase": PROJECT}))
    found = await api.project(71)
    assert found.party and found.opportunity and found.fields and found.stage
    assert (found.party.id, found.opportunity.id, found.stage.name) == (11, 5, "Build")
    assert found.fields[0].value == "4711"
    assert (script.sent[0].url.path, script.query["embed"]) == ("/api/v2/kases/71", "tags,fields,party")


async def test_changed_projects_are_asked_for_since_an_instant() -> None:
    api, script = projects(httpx.Response(200, json={"kases": [PROJECT]}))
    page = await api.changed_projects(datetime(2026, 3, 2, 9, tzinfo=UTC), 1)
    assert [each.id for each in page.items] == [71]
    assert script.query["since"].startswith("2026-03-02T09:00:00")


async def test_a_project_is_found_by_a_custom_field() -> None:
    api, script = projects(httpx.Response(200, json={"kases": [PROJECT]}))
    condition = {"field": "custom:7", "operator": "is", "value": "4711"}
    assert [each.id for each in (await api.filter_projects([condition], 1)).items] == [71]
    assert script.body == {"filter": {"conditions": [condition]}}


async def test_a_filter_without_conditions_is_never_sent() -> None:
    api, script = projects()
    with pytest.raises(ValueError, match="every project"):
        await api.filter_projects([], 1)
    assert script.sent == []


async def test_a_project_is_closed_and_gets_its_reference_in_one_change() -> None:
    api, script = projects(httpx.Response(200, json={"kase": {**PROJECT, "status": "CLOSED"}}))
    field = {"definition": {"id": 7}, "value": "4711"}
    assert (await api.update_project(71, {"status": "CLOSED", "fields": [field]})).status == "CLOSED"
    assert script.body == {"kase": {"status": "CLOSED", "fields": [field]}}


@pytest.mark.parametrize("changes", [{}, {"status": "DONE"}, {"closedOn": "2026-03-02"}])
async def test_what_capsule_would_refuse_or_ignore_is_not_sent(changes: dict[str, Any]) -> None:
    api, script = projects()
    with pytest.raises(ValueError, match="project 71"):
        await api.update_project(71, changes)
    assert script.sent == []


async def test_a_deleted_project_is_not_found() -> None:
    api, _ = projects(httpx.Response(404, json={"message": "Could not find resource"}))
    with pytest.raises(NotFound):
        await api.project(71)
