from typing import Any

import httpx
import pytest

from sandbox.app import Sandbox, build_sandbox
from tests.sandbox.conftest import CAPSULE, CLIENTS, FRESHBOOKS, caller

DRAFT = {"party": {"type": "organisation", "name": "Acme Ltd"}}


async def harm(capsule: httpx.AsyncClient, **rule: Any) -> None:
    response = await capsule.post(f"{CAPSULE}/_sandbox/faults", json={"path": "/parties$", "method": "POST", **rule})
    assert response.status_code == 200, response.text


async def names(capsule: httpx.AsyncClient) -> list[str]:
    return [each["name"] for each in (await capsule.get("/parties")).json()["parties"]]


async def test_an_outage_before_the_write_writes_nothing(capsule: httpx.AsyncClient) -> None:
    await harm(capsule, fault="status", status=503, headers={"Retry-After": "7"}, times=1)
    refused = await capsule.post("/parties", json=DRAFT)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "7")
    assert await names(capsule) == []
    assert (await capsule.post("/parties", json=DRAFT)).status_code == 201


async def test_too_many_requests_has_capsule_s_odd_body_and_no_retry_after(capsule: httpx.AsyncClient) -> None:
    await harm(capsule, fault="status", status=429)
    refused = await capsule.post("/parties", json=DRAFT)
    assert refused.json() == {"error": "rate limit reached"}
    assert "Retry-After" not in refused.headers
    assert "X-RateLimit-Reset" in refused.headers


@pytest.mark.parametrize(("fault", "written"), [("cut_before", []), ("commit_then_cut", ["Acme Ltd"])])
async def test_a_cut_connection_does_not_tell_whether_the_write_was_made(
    capsule: httpx.AsyncClient, fault: str, written: list[str]
) -> None:
    """F7 of the fault plan: the write is made, and the answer is lost."""
    await harm(capsule, fault=fault)
    with pytest.raises(httpx.RemoteProtocolError):
        await capsule.post("/parties", json=DRAFT)
    assert await names(capsule) == written


async def test_a_server_error_may_hide_a_write(capsule: httpx.AsyncClient) -> None:
    """F7 of the fault plan."""
    await harm(capsule, fault="commit_then_status", status=500)
    assert (await capsule.post("/parties", json=DRAFT)).status_code == 500
    assert await names(capsule) == ["Acme Ltd"]


async def test_a_late_write_is_made_after_its_caller_gave_up(sandbox: Sandbox, capsule: httpx.AsyncClient) -> None:
    """F8 of the fault plan; the ledger marks it as late."""
    await harm(capsule, fault="late_commit", seconds=0.05)
    with pytest.raises(httpx.RemoteProtocolError):
        await capsule.post("/parties", json=DRAFT)
    assert await names(capsule) == []
    await sandbox.settle()
    assert await names(capsule) == ["Acme Ltd"]
    assert [each["via"] for each in sandbox.ledger.of("capsule", kind="party")] == ["late"]


async def test_half_a_body_looks_like_success_until_it_is_read(capsule: httpx.AsyncClient) -> None:
    await harm(capsule, fault="truncated")
    response = await capsule.post("/parties", json=DRAFT)
    assert response.status_code == 201
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        response.json()
    assert await names(capsule) == ["Acme Ltd"]


async def test_a_web_page_may_come_instead_of_json(capsule: httpx.AsyncClient) -> None:
    await harm(capsule, fault="malformed")
    response = await capsule.post("/parties", json=DRAFT)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


async def test_a_token_that_is_revoked_in_the_middle_can_be_refreshed(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient
) -> None:
    """F13 of the fault plan."""
    rule = {"path": "/users/clients", "fault": "revoked_token", "times": 1}
    await freshbooks.post(f"{FRESHBOOKS}/_sandbox/faults", json=rule)
    assert (await freshbooks.get(CLIENTS)).status_code == 401
    assert (await freshbooks.get(CLIENTS)).status_code == 401
    about = sandbox.freshbooks_service.about()
    form = {
        "grant_type": "refresh_token",
        "refresh_token": about["tokens"]["refresh"],
        "redirect_uri": "https://us.test",
    }
    fresh = (await freshbooks.post("/auth/oauth/token", data={**form, **about["oauth"]})).json()["access_token"]
    assert (await freshbooks.get(CLIENTS, headers={"Authorization": f"Bearer {fresh}"})).status_code == 200


async def test_200_with_errors_writes_nothing(sandbox: Sandbox, freshbooks: httpx.AsyncClient) -> None:
    await freshbooks.post(f"{FRESHBOOKS}/_sandbox/faults", json={"fault": "ok_with_errors", "times": 1})
    response = await freshbooks.post(CLIENTS, json={"client": {"fname": "Nora"}})
    assert response.status_code == 200
    assert response.json()["response"]["errors"][0]["errno"] == 500
    assert sandbox.freshbooks_service.records.all("client") == []


async def test_chance_repeats_itself_for_the_same_seed() -> None:
    async def statuses(seed: int) -> list[int]:
        built = build_sandbox(seed=seed)
        async with caller(built, "capsule") as capsule:
            await harm(capsule, fault="status", probability=0.5, path="/site", method="GET")
            found = [(await capsule.get("/site")).status_code for _ in range(20)]
        await built.close()
        return found

    first = await statuses(7)
    assert first == await statuses(7)
    assert set(first) == {200, 503}
    assert first != await statuses(8)


async def test_a_rule_counts_and_goes_when_it_is_told_to(capsule: httpx.AsyncClient) -> None:
    await harm(capsule, fault="latency", seconds=0, times=2, path="/site", method=None)
    for _ in range(3):
        await capsule.get("/site")
    (rule,) = (await capsule.get(f"{CAPSULE}/_sandbox/faults")).json()["rules"]
    assert rule["fired"] == 2
    assert (await capsule.delete(f"{CAPSULE}/_sandbox/faults", params={"id": rule["id"]})).json() == {"rules": []}


@pytest.mark.parametrize("rule", [{"fault": "nonsense"}, {"fault": "status", "path": "("}, {"fault": "status", "x": 1}])
async def test_a_rule_that_cannot_be_understood_is_refused(capsule: httpx.AsyncClient, rule: dict[str, Any]) -> None:
    response = await capsule.post(f"{CAPSULE}/_sandbox/faults", json=rule)
    assert response.status_code == 422


async def test_quotas_end_and_come_back() -> None:
    """S26, S61: the caller must wait, by `X-RateLimit-Reset` here and by `Retry-After` there."""
    built = build_sandbox(capsule_requests_per_hour=1, freshbooks_requests_per_minute=1)
    async with caller(built, "capsule") as capsule, caller(built, "freshbooks") as freshbooks:
        crm = [await capsule.get("/site") for _ in range(2)]
        books = [await freshbooks.get(CLIENTS) for _ in range(2)]
    await built.close()
    assert [each.status_code for each in crm + books] == [200, 429, 200, 429]
    assert crm[1].json() == {"error": "rate limit reached"}
    assert "Retry-After" not in crm[1].headers
    assert 1 <= int(books[1].headers["Retry-After"]) <= 60


async def test_late_writes_draw_their_own_delay_from_a_range(sandbox: Sandbox, capsule: httpx.AsyncClient) -> None:
    """F1, and F8 of the fault plan: some come soon, some late, so they overtake each other."""
    await harm(capsule, fault="late_commit", seconds=[0, 0.3])
    for number in range(20):
        with pytest.raises(httpx.RemoteProtocolError):
            await capsule.post("/parties", json={"party": {"type": "organisation", "name": f"{number:02}"}})
    await sandbox.settle()
    found = await names(capsule)
    assert len(found) == 20
    assert found != sorted(found)


async def test_a_range_that_runs_backwards_is_refused(capsule: httpx.AsyncClient) -> None:
    rule = {"fault": "late_commit", "seconds": [2, 1]}
    assert (await capsule.post(f"{CAPSULE}/_sandbox/faults", json=rule)).status_code == 422
