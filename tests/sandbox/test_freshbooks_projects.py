"""Projects, services, rates and the business itself in the FreshBooks stand-in."""

from typing import Any

import httpx
import pytest

from sandbox.app import Sandbox
from tests.sandbox.conftest import caller, control, new_client
from tests.sandbox.freshbooks_hours import (
    COMMENTS,
    MISSING,
    NORA,
    PROJECT,
    PROJECTS,
    SERVICE,
    ids,
    logged,
    new_project,
    new_service,
    page,
    said,
    wrong,
)

LIST = f"{PROJECTS}/projects"


async def changed(freshbooks: httpx.AsyncClient, project: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return said(await freshbooks.put(f"{PROJECT}/{project['id']}", json={"project": fields}), "project")


async def test_a_fixed_price_project_is_started_for_a_client(freshbooks: httpx.AsyncClient) -> None:
    client, service = await new_client(freshbooks), await new_service(freshbooks)
    project = await new_project(
        freshbooks,
        client_id=client["id"],
        project_type="fixed_price",
        fixed_price="6000",
        due_date="2026-06-30",
        services=[{"id": service["id"]}],
    )
    assert (project["fixed_price"], project["rate"], project["client_id"]) == ("6000.00", None, client["id"])
    assert project["services"] == [service]
    assert not project["created_at"].endswith("Z")
    assert [each["first_name"] for each in project["group"]["members"]] == ["Ida", "Nora", "Jonas"]
    (row,) = (await page(freshbooks, LIST))["projects"]
    assert {**project, "group_id": project["group"]["id"]} == {**row, "group": project["group"]}


@pytest.mark.parametrize("path", [PROJECT, LIST])
async def test_both_known_addresses_make_and_show_a_project(freshbooks: httpx.AsyncClient, path: str) -> None:
    draft = {"title": "Website", "description": "capsule:opp:991"}
    project = said(await freshbooks.post(path, json={"project": draft}), "project")
    response = await freshbooks.get(f"{path}/{project['id']}")
    assert response.json()["project"] == project
    assert response.json()["abilities"]


@pytest.mark.parametrize(
    ("draft", "fault"),
    [
        ({}, {"title", "description"}),
        ({"title": " ", "description": ""}, {"title"}),
        ({"title": "A", "description": None, "client_id": 330_999}, {"client_id"}),
        ({"title": "A", "description": None, "services": [{"id": 1}]}, {"services"}),
        ({"title": "A", "description": None, "services": "Design"}, {"services"}),
        ({"title": "A", "description": None, "project_type": "gift"}, {"project_type"}),
        ({"title": "A", "description": None, "rate": "-5"}, {"rate"}),
        ({"title": "A", "description": None, "due_date": "30.6.2026"}, {"due_date"}),
        ({"title": "A", "description": None, "project_manager_id": 1}, {"project_manager_id"}),
    ],
)
async def test_a_project_that_cannot_be_is_refused_by_field(
    freshbooks: httpx.AsyncClient, draft: dict[str, Any], fault: set[str]
) -> None:
    assert set(wrong(await freshbooks.post(PROJECT, json={"project": draft}))) == fault
    assert await ids(freshbooks, LIST) == []


async def test_a_change_of_a_project_must_name_its_title_and_keeps_the_rest(freshbooks: httpx.AsyncClient) -> None:
    project = await new_project(freshbooks, rate="120.00", billing_method="project_rate")
    response = await freshbooks.put(f"{PROJECT}/{project['id']}", json={"project": {"complete": True}})
    assert (response.status_code, response.json()) == (500, {"error": "An internal error has occurred."})
    after = await changed(freshbooks, project, title="Website", complete=True)
    assert (after["complete"], after["rate"], after["billing_method"]) == (True, "120.00", "project_rate")


async def test_projects_are_found_by_state_and_client_and_sorted_by_title(freshbooks: httpx.AsyncClient) -> None:
    client = await new_client(freshbooks)
    first = await new_project(freshbooks, "Beta", client_id=client["id"])
    second = await new_project(freshbooks, "alpha", internal=True)
    await changed(freshbooks, second, title="alpha", active=False)
    both = [second["id"], first["id"]]
    assert await ids(freshbooks, LIST) == both
    assert await ids(freshbooks, LIST, title="Beta") == both
    for query in ({"active": "true"}, {"internal": "false"}, {"client_id": client["id"]}):
        assert await ids(freshbooks, LIST, **query) == [first["id"]], query
    assert await ids(freshbooks, LIST, complete="true") == []
    assert await ids(freshbooks, LIST, sort="title") == both
    assert await ids(freshbooks, LIST, sort="-title") == both[::-1]
    assert await ids(freshbooks, LIST, updated_since="2020-01-01T00:00:00Z") == both
    assert await ids(freshbooks, LIST, updated_since="2999-01-01T00:00:00Z") == []
    assert "group_id" not in (await page(freshbooks, LIST, skip_group="true"))["projects"][0]
    assert set(wrong(await freshbooks.get(LIST, params={"updated_since": "x"}))) == {"updated_since"}


async def test_a_project_knows_its_hours_and_how_far_they_are_billed(freshbooks: httpx.AsyncClient) -> None:
    project = await new_project(freshbooks)
    for expected, fields in (
        ("unbilled", {}),
        ("partially_billed", {"billed": True}),
        ("partially_billed", {"is_logged": False}),
    ):
        await logged(freshbooks, project_id=project["id"], **fields)
        (row,) = (await page(freshbooks, LIST, include_logged_duration="true"))["projects"]
        assert row["billed_status"] == expected
    assert row["logged_duration"] == 10_800
    assert "logged_duration" not in (await page(freshbooks, LIST))["projects"][0]


async def test_a_deleted_project_is_gone_and_its_hours_still_name_it(freshbooks: httpx.AsyncClient) -> None:
    project = await new_project(freshbooks)
    entry = await logged(freshbooks, project_id=project["id"])
    assert (await freshbooks.delete(f"{PROJECT}/{project['id']}")).status_code == 204
    response = await freshbooks.get(f"{PROJECT}/{project['id']}")
    assert (response.status_code, response.json()) == (404, MISSING)
    assert await ids(freshbooks, f"{PROJECTS}/projects") == []
    billed = await control(freshbooks, f"records/time_entry/{entry['id']}/bill", {})
    assert billed["project_id"] == project["id"]


async def test_people_start_change_and_delete_projects(freshbooks: httpx.AsyncClient) -> None:
    project = await control(freshbooks, "records/project", {"title": "Relaunch", "fixed_price": "9000"})
    await control(freshbooks, "records/project", {"id": project["id"], "active": False}, "PUT")
    shown = said(await freshbooks.get(f"{PROJECT}/{project['id']}"), "project")
    assert (shown["title"], shown["active"], shown["fixed_price"]) == ("Relaunch", False, "9000.00")
    await control(freshbooks, f"records/project/{project['id']}", method="DELETE")
    assert (await freshbooks.get(f"{PROJECT}/{project['id']}")).status_code == 404


async def test_a_service_is_made_once_and_people_take_it_away(freshbooks: httpx.AsyncClient) -> None:
    service = await new_service(freshbooks)
    assert service == {
        "business_id": 880_001,
        "id": service["id"],
        "name": "Design",
        "billable": True,
        "project_default": False,
        "vis_state": 0,
    }
    twice = await freshbooks.post(SERVICE, json={"service": {"name": "design"}})
    assert wrong(twice) == {"name": "Name has already been taken"}
    assert wrong(await freshbooks.post(SERVICE, json={"service": {}})) == {"name": "field required"}
    assert (await freshbooks.put(f"{SERVICE}/{service['id']}", json={"service": {}})).status_code == 405
    await control(freshbooks, "records/service", {"id": service["id"], "billable": False}, "PUT")
    assert said(await freshbooks.get(f"{SERVICE}/{service['id']}"), "service")["billable"] is False
    await control(freshbooks, f"records/service/{service['id']}", method="DELETE")
    assert await ids(freshbooks, f"{COMMENTS}/services") == []
    assert said(await freshbooks.get(f"{SERVICE}/{service['id']}"), "service")["vis_state"] == 1
    await control(freshbooks, "settings", {"service_names_once": False})
    assert (await new_service(freshbooks))["name"] == "Design"


async def test_a_list_of_services_may_ignore_its_pages(freshbooks: httpx.AsyncClient) -> None:
    for name in ("Design", "Travel"):
        await new_service(freshbooks, name)
    services = f"{COMMENTS}/services"
    assert len(await ids(freshbooks, services, per_page=1)) == 1
    assert (await page(freshbooks, services))["meta"]["per_page"] == 50
    await control(freshbooks, "settings", {"services_on_one_page": True})
    assert len(await ids(freshbooks, services, per_page=1, page=2)) == 2


async def test_a_service_has_one_rate_that_is_set_and_then_changed(freshbooks: httpx.AsyncClient) -> None:
    service = await new_service(freshbooks)
    path = f"{SERVICE}/{service['id']}/rate"
    body = {"service_rate": {"rate": "95"}}
    for method in ("GET", "PUT"):
        assert (await freshbooks.request(method, path, json=body)).status_code == 404
    made = said(await freshbooks.post(path, json=body), "service_rate")
    assert made == {"business_id": 880_001, "service_id": service["id"], "rate": "95.00"}
    assert set(wrong(await freshbooks.post(path, json=body))) == {"rate"}
    await freshbooks.put(path, json={"service_rate": {"rate": "110.00"}})
    assert (await page(freshbooks, f"{COMMENTS}/service_rates")) == {"service_rates": [{**made, "rate": "110.00"}]}
    assert set(wrong(await freshbooks.put(path, json={"service_rate": {"rate": "much"}}))) == {"rate"}
    assert (await freshbooks.post(f"{SERVICE}/1/rate", json=body)).json() == MISSING


async def test_each_person_has_a_rate(freshbooks: httpx.AsyncClient) -> None:
    path = f"{COMMENTS}/team_member_rate"
    body = {"team_member_rate": {"rate": "80.00"}}
    rate = said(await freshbooks.put(f"{path}/{NORA}", json=body), "team_member_rate")
    assert rate == {"business_id": 880_001, "identity_id": NORA, "rate": "80.00"}
    assert (await freshbooks.put(f"{path}/7099", json=body)).status_code == 404
    await control(freshbooks, "records/team_member_rate", {"identity_id": 7001, "rate": "150"})
    rates = (await page(freshbooks, f"{COMMENTS}/team_member_rates"))["team_member_rates"]
    assert [(each["identity_id"], each["rate"]) for each in rates] == [(NORA, "80.00"), (7001, "150.00")]
    await control(freshbooks, "records/team_member_rate/7001", method="DELETE")
    assert len((await page(freshbooks, f"{COMMENTS}/team_member_rates"))["team_member_rates"]) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", LIST),
        ("POST", PROJECT),
        ("GET", f"{COMMENTS}/services"),
        ("POST", SERVICE),
        ("GET", f"{COMMENTS}/service_rates"),
        ("GET", f"{COMMENTS}/team_member_rates"),
        ("GET", "/auth/api/v1/users/business/880001"),
        ("GET", "/auth/api/v1/businesses/880001/team_members"),
    ],
)
async def test_a_business_that_is_not_ones_own_is_not_found(
    freshbooks: httpx.AsyncClient, method: str, path: str
) -> None:
    response = await freshbooks.request(method, path.replace("880001", "880009"), json={})
    assert response.status_code == 404
    assert "error" in response.json()


async def test_reading_tokens_write_no_projects_and_no_rates(sandbox: Sandbox, freshbooks: httpx.AsyncClient) -> None:
    project = await new_project(freshbooks)
    async with caller(sandbox, "freshbooks", "read_only") as reader:
        assert await ids(reader, LIST) == [project["id"]]
        for method, path in (
            ("PUT", f"{PROJECT}/{project['id']}"),
            ("POST", SERVICE),
            ("PUT", f"{COMMENTS}/team_member_rate/{NORA}"),
        ):
            assert (await reader.request(method, path, json={})).status_code == 403


async def test_the_business_says_where_it_is_and_who_works_there(freshbooks: httpx.AsyncClient) -> None:
    """F32: the day of an entry is that of the business."""
    await control(freshbooks, "settings", {"business_time_zone": "America/New_York", "null_account_id": True})
    found = (await freshbooks.get("/auth/api/v1/users/business/880001")).json()["response"]
    assert (found["timezone"], found["account_id"]) == ("America/New_York", None)
    assert [each["identity_id"] for each in found["business_group"]["members"]] == [7001, NORA, 7003]
