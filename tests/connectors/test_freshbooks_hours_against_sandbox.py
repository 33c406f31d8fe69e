"""Hours against FreshBooks' stand-in, whose writer had only the documentation in common with the connector's."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from connectors.errors import NotFound, Refused
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.hours import EntryFilter, Hours
from connectors.http import fixed_token, http_client
from sandbox.app import build_sandbox

URL = "http://freshbooks.test"


@dataclass(frozen=True)
class Work:
    """The hours of the account, a project of a client in it, and the hands of people in its stand-in."""

    hours: Hours
    http: httpx.AsyncClient
    client_id: int
    project_id: int

    async def tell(self, path: str, body: object) -> dict[str, Any]:
        response = await self.http.post(f"{URL}/_sandbox/{path}", json=body)
        assert response.is_success, response.text
        found: dict[str, Any] = response.json()
        return found

    async def log(self, **values: Any) -> int:
        usual = {"started_at": "2026-03-02T09:00:00Z", "duration": 5400, "project_id": self.project_id}
        entry = await self.tell("records/time_entry", {**usual, "client_id": self.client_id, **values})
        return int(entry["id"])

    async def unbilled(self) -> list[int]:
        page = await self.hours.time_entries_page(EntryFilter(billed=False, project_id=self.project_id), 1)
        return sorted(each.id for each in page.items)


@pytest.fixture
async def work() -> AsyncIterator[Work]:
    built = build_sandbox(records=1)
    async with http_client(httpx.ASGITransport(built.freshbooks)) as http:
        about = built.freshbooks_service.about()
        token = fixed_token(SecretStr(about["tokens"]["access"]))
        api = FreshBooksApi(http, token, about["account_id"], URL, timedelta(seconds=10))
        client = await api.create_client({"organization": "Quist AB", "email": "ap@quist.example"})
        hours = Hours(api)
        project = await hours.create_project(
            title="Website", client_id=client.id, project_type="hourly_rate", description="capsule:opp:991"
        )
        yield Work(hours, http, client.id, project.id)
    await built.close()


async def test_an_hour_that_is_marked_is_billed_and_is_otherwise_what_it_was(work: Work) -> None:
    """F31."""
    first, second = await work.log(note="Kick-off"), await work.log(identity_id=7002)
    assert await work.unbilled() == [first, second]
    read = await work.hours.time_entry(second)
    assert read is not None
    marked = await work.hours.mark_billed(read)
    assert marked == read.entry.model_copy(update={"billed": True})
    assert await work.unbilled() == [first]


async def test_a_deleted_hour_is_gone_and_a_running_timer_is_not_listed(work: Work) -> None:
    entry_id = await work.log()
    timer = await work.log(is_logged=False, duration=None)
    read = await work.hours.time_entry(timer)
    assert read is not None
    assert (read.entry.is_logged, read.entry.duration) == (False, None)
    assert await work.unbilled() == [entry_id]
    response = await work.http.delete(f"{URL}/_sandbox/records/time_entry/{entry_id}")
    assert response.is_success
    assert await work.hours.time_entry(entry_id) is None
    assert await work.unbilled() == []


async def test_hours_of_a_period_are_found_by_when_they_began(work: Work) -> None:
    """F32."""
    ids = [await work.log(started_at=f"2026-03-{day:02d}T23:30:00Z") for day in (1, 2, 3)]
    period = EntryFilter(started_from=datetime(2026, 3, 2, tzinfo=UTC), started_to=datetime(2026, 3, 3, tzinfo=UTC))
    assert [each.id for each in (await work.hours.time_entries_page(period, 1)).items] == [ids[1]]


async def test_a_project_keeps_what_a_change_does_not_name(work: Work) -> None:
    service = await work.tell("records/service", {"name": "Design"})
    await work.hours.update_project(work.project_id, {"services": [{"id": service["id"]}], "rate": "110.50"})
    before = await work.hours.project(work.project_id)
    after = await work.hours.update_project(work.project_id, {"complete": True})
    assert after.model_copy(update={"updated_at": None}) == before.model_copy(
        update={"complete": True, "updated_at": None}
    )
    assert (str(after.rate), [each.name for each in after.services]) == ("110.50", ["Design"])
    page = await work.hours.projects_page(1, client_id=work.client_id)
    assert [each.id for each in page.items] == [work.project_id]
    with pytest.raises(NotFound):
        await work.hours.project(work.project_id + 1000)


async def test_services_people_and_their_rates_are_told(work: Work) -> None:
    service = await work.tell("records/service", {"name": "Design"})
    await work.tell("records/service_rate", {"service_id": service["id"], "rate": "110.00"})
    people = [each.identity_id for each in await work.hours.team_members()]
    await work.tell("records/team_member_rate", {"identity_id": people[0], "rate": "95.25"})
    assert service["id"] in [each.id for each in await work.hours.services()]
    assert (service["id"], "110.00") in [(each.service_id, str(each.rate)) for each in await work.hours.service_rates()]
    assert (people[0], "95.25") in [(each.identity_id, str(each.rate)) for each in await work.hours.team_rates()]
    assert (await work.hours.time_zone()).key


async def test_a_project_without_a_known_type_is_refused(work: Work) -> None:
    with pytest.raises(Refused, match="project_type 2001"):
        await work.hours.update_project(work.project_id, {"project_type": "by_the_moon"})
