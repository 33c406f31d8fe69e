"""Requests and answers of FreshBooks' projects, services, rates, team members, and the business itself."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from connectors.errors import Forbidden, NotFound, Refused, Unavailable, UnknownOutcome
from tests.connectors.freshbooks_hours import DESIGN, MISSING, NORA, PROJECT, entry, hours, listed, no, project

PROJECTS = "/projects/business/880001"
COMMENTS = "/comments/business/880001"
WEBSITE: dict[str, Any] = {
    "title": "Website",
    "client_id": 330101,
    "project_type": "hourly_rate",
    "description": "capsule:opp:991",
}


async def test_a_project_has_its_rate_to_the_cent_and_its_instants_in_utc() -> None:
    api, script = hours(project())
    found = await api.project(6001)
    assert script.sent[0].url.path == f"{PROJECTS}/project/6001"
    assert (found.title, found.client_id, str(found.rate), found.fixed_price) == ("Website", 330101, "110.50", None)
    assert (found.project_type, found.billing_method) == ("hourly_rate", "project_rate")
    assert found.updated_at == datetime(2026, 2, 2, 8, tzinfo=UTC)
    assert [each.name for each in found.services] == ["Design"]


async def test_a_rate_that_comes_as_a_number_is_exact_and_an_empty_one_is_none() -> None:
    """A tenth is no float."""
    text = b'{"project": {"id": 6001, "title": "Website", "rate": 110.10, "fixed_price": "", "billed_amount": 3}}'
    api, _ = hours(httpx.Response(200, content=text))
    found = await api.project(6001)
    assert (str(found.rate), found.fixed_price, found.billed_amount) == ("110.10", None, Decimal(3))


async def test_a_missing_project_is_not_found() -> None:
    api, _ = hours(no(404, MISSING))
    with pytest.raises(NotFound, match="read project 6001"):
        await api.project(6001)


async def test_projects_are_listed_by_age_and_other_clients_left_out() -> None:
    """FreshBooks answers a filter that it does not know with everything."""
    api, script = hours(listed("projects", [PROJECT, {**PROJECT, "id": 6002, "client_id": 330102}], pages=2))
    page = await api.projects_page(1, updated_since=datetime(2026, 3, 1, tzinfo=UTC), client_id=330101)
    assert ([each.id for each in page.items], page.has_more, page.pages, page.total) == ([6001], True, 2, 2)
    assert script.sent[0].url.path == f"{PROJECTS}/projects"
    assert script.query == {
        "updated_since": "2026-03-01T00:00:00Z",
        "client_id": "330101",
        "sort": "created_at",
        "page": "1",
        "per_page": "100",
    }


async def test_all_projects_are_read_each_once() -> None:
    first, second = (
        listed("projects", [{**PROJECT, "id": each} for each in ids], page, 2)
        for page, ids in enumerate(([1, 2], [2, 3]), 1)
    )
    api, script = hours(first, second)
    assert [each.id for each in await api.projects()] == [1, 2, 3]
    assert [dict(each.url.params)["page"] for each in script.sent] == ["1", "2"]


async def test_a_list_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.freshbooks.business.MOST_PAGES", 2)
    api, _ = hours(*(listed("projects", [{**PROJECT, "id": each}], each, 99) for each in (1, 2)))
    with pytest.raises(Refused, match="the list of projects has more than 2 pages"):
        await api.projects()


async def test_a_project_is_created_under_its_singular_address() -> None:
    api, script = hours(project())
    made = await api.create_project(**WEBSITE)
    assert (made.id, script.sent[0].method, script.sent[0].url.path) == (6001, "POST", f"{PROJECTS}/project")
    assert script.body == {"project": WEBSITE}


async def test_a_lost_answer_leaves_open_whether_the_project_was_created() -> None:
    api, script = hours(httpx.ReadTimeout("slow"))
    with pytest.raises(UnknownOutcome):
        await api.create_project(**WEBSITE)
    assert len(script.sent) == 1


async def test_a_project_that_freshbooks_refuses_names_the_fields() -> None:
    api, _ = hours(no(422, {"errno": 2001, "error": {"title": "field required", "description": "field required"}}))
    with pytest.raises(Refused, match=r"title 2001; description 2001") as caught:
        await api.create_project(**WEBSITE)
    assert [each.field for each in caught.value.problems] == ["title", "description"]


async def test_a_change_of_a_project_keeps_its_title_and_all_the_rest() -> None:
    """FreshBooks demands the title of every change, and does not say what becomes of what is left out."""
    api, script = hours(project(), project(complete=True))
    assert (await api.update_project(6001, {"complete": True, "rate": Decimal("120.00")})).complete
    assert (script.sent[1].method, script.sent[1].url.path) == ("PUT", f"{PROJECTS}/project/6001")
    assert script.body == {
        "project": {
            "title": "Website",
            "description": "capsule:opp:991",
            "client_id": 330101,
            "internal": False,
            "rate": "120.00",
            "billing_method": "project_rate",
            "project_type": "hourly_rate",
            "active": True,
            "complete": True,
            "services": [{"id": 41}],
            "expense_markup": "0",
        }
    }


@pytest.mark.parametrize("changes", [{}, {"billed_amount": "1.00"}, {"title": " "}, {"title": None}])
async def test_a_change_that_freshbooks_cannot_take_is_never_sent(changes: dict[str, Any]) -> None:
    api, script = hours()
    with pytest.raises(ValueError, match="project 6001: give fields"):
        await api.update_project(6001, changes)
    assert not script.sent


async def test_services_are_read_to_their_last_page() -> None:
    api, script = hours(listed("services", [DESIGN], 1, 2), listed("services", [{**DESIGN, "id": 42}], 2, 2))
    assert [each.id for each in await api.services()] == [41, 42]
    assert script.sent[0].url.path == f"{COMMENTS}/services"


async def test_a_list_of_services_that_ignores_pages_comes_to_an_end() -> None:
    """The second page is the first one again."""
    api, script = hours(*(listed("services", [DESIGN], 1, 2) for _ in range(2)))
    assert [each.id for each in await api.services()] == [41]
    assert len(script.sent) == 2


async def test_what_an_hour_of_a_service_costs_is_exact() -> None:
    """The list of rates has no `meta`."""
    rates = [{"business_id": 880001, "service_id": 41, "rate": "110.00"}, {"service_id": 42, "rate": None}]
    api, script = hours(httpx.Response(200, json={"service_rates": rates}))
    found = {each.service_id: each.rate and str(each.rate) for each in await api.service_rates()}
    assert found == {41: "110.00", 42: None}
    assert script.sent[0].url.path == f"{COMMENTS}/service_rates"


@pytest.mark.parametrize(("status", "error"), [(403, Forbidden), (404, NotFound), (502, Unavailable)])
async def test_rates_of_services_that_cannot_be_read_are_not_taken_for_none(
    status: int, error: type[Exception]
) -> None:
    """Work would be billed at another price."""
    api, _ = hours(no(status, {"message": "no"}))
    with pytest.raises(error):
        await api.service_rates()


async def test_what_an_hour_of_a_team_member_costs_is_exact() -> None:
    rates = [{"business_id": 880001, "identity_id": 7001, "rate": "95.25"}]
    api, script = hours(httpx.Response(200, json={"team_member_rates": rates}))
    assert [(each.identity_id, str(each.rate)) for each in await api.team_rates()] == [(7001, "95.25")]
    assert script.sent[0].url.path == f"{COMMENTS}/team_member_rates"


@pytest.mark.parametrize("status", [403, 404])
async def test_an_account_without_rates_of_team_members_has_none(status: int) -> None:
    api, _ = hours(no(status, MISSING))
    assert await api.team_rates() == []


async def test_a_trouble_of_a_moment_is_not_taken_for_no_rates_of_team_members() -> None:
    api, _ = hours(no(503, {"message": "later"}))
    with pytest.raises(Unavailable):
        await api.team_rates()


async def test_all_team_members_are_told_those_who_left_too() -> None:
    left = {**NORA, "uuid": "u-2", "identity_id": None, "active": False}
    pages = ([NORA], 1), ([left], 2)
    meta = {"per_page": 1, "total": 2}
    api, script = hours(
        *(httpx.Response(200, json={"response": rows, "meta": {**meta, "page": page}}) for rows, page in pages)
    )
    found = [(each.identity_id, each.email, each.first_name, each.active) for each in await api.team_members()]
    assert found == [(7001, "nora@quist.test", "Nora", True), (None, "nora@quist.test", "Nora", False)]
    assert script.sent[0].url.path == "/auth/api/v1/businesses/880001/team_members"


async def test_the_days_of_a_business_begin_by_its_own_clock() -> None:
    """F32."""
    api, script = hours(business("Europe/Stockholm"))
    assert await api.time_zone() == ZoneInfo("Europe/Stockholm")
    assert script.sent[0].url.path == "/auth/api/v1/users/business/880001"


@pytest.mark.parametrize("name", [None, "", "Middle of Nowhere", "../etc", "Europe"])
async def test_a_time_zone_that_nobody_knows_is_stated_by_a_person(name: str | None) -> None:
    api, _ = hours(business(name))
    with pytest.raises(Refused, match="business 880001: state `time_zone`"):
        await api.time_zone()


def business(zone: str | None) -> httpx.Response:
    return httpx.Response(200, json={"response": {"id": 880001, "account_id": "aB3xYz", "timezone": zone}})


def me(*businesses: tuple[int, str | None]) -> httpx.Response:
    memberships = [
        {"id": 5501, "role": "owner", "business": {"id": number, "account_id": account}}
        for number, account in businesses
    ]
    return httpx.Response(200, json={"response": {"id": 7001, "business_memberships": memberships}})


async def test_the_business_of_an_account_is_looked_up_once() -> None:
    """Z20: the membership's own id is none of a business, and another business has another account."""
    api, script = hours(me((880002, "zZ9yYx"), (880001, "aB3xYz")), project(), entry(), business_id=None)
    await api.project(6001)
    await api.time_entry(910001)
    paths = [each.url.path for each in script.sent]
    assert paths[:2] == ["/auth/api/v1/users/me", f"{PROJECTS}/project/6001"]
    assert paths[2:] == ["/timetracking/business/880001/time_entries/910001"]


@pytest.mark.parametrize("businesses", [[], [(880002, "zZ9yYx")], [(1, "aB3xYz"), (2, "aB3xYz")], [(1, None)]])
async def test_without_a_business_that_is_beyond_doubt_no_hours_are_read(
    businesses: list[tuple[int, str | None]],
) -> None:
    api, script = hours(me(*businesses), business_id=None)
    with pytest.raises(Refused, match="connect again as somebody who works in it"):
        await api.projects()
    assert len(script.sent) == 1
