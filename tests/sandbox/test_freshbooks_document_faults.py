"""Creating estimates and invoices while answers get lost, writes come late, and searches lag behind."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.app import Sandbox, build_sandbox
from tests.sandbox.conftest import caller, control, new_client
from tests.sandbox.freshbooks_documents import asked, changed, ids, new, read, refusal

BOTH = pytest.mark.parametrize("kind", ["estimate", "invoice"])


async def made(freshbooks: httpx.AsyncClient, kind: str) -> list[dict[str, Any]]:
    """Return what the ledger says of creates."""
    entries = (await control(freshbooks, f"ledger?kind={kind}", method="GET"))["entries"]
    return [each for each in entries if each["operation"] == "create"]


@BOTH
@pytest.mark.faults
async def test_a_create_whose_answer_is_lost_has_happened(freshbooks: httpx.AsyncClient, kind: str) -> None:
    """F1, F2: the second attempt would make another, were it not for the number."""
    client = await new_client(freshbooks, organization="Quist AB")
    rule = {"method": "POST", "path": f"/{kind}s/", "fault": "commit_then_cut", "times": 1}
    await control(freshbooks, "faults", rule)
    wanted = {"customerid": client["id"], f"{kind}_number": "CAP-1"}
    with pytest.raises(httpx.RemoteProtocolError):
        await asked(freshbooks, kind, **wanted)
    (entry,) = await made(freshbooks, kind)
    assert (entry["record"][f"{kind}_number"], len(entry["record"]["lines"])) == ("CAP-1", 1)
    assert await ids(freshbooks, kind, **{f"{kind}_number": "CAP-1"}) == [entry["id"]]
    if kind == "invoice":
        assert refusal(await asked(freshbooks, kind, **wanted))[2] == "invoice_number"


@BOTH
@pytest.mark.faults
async def test_a_create_may_happen_after_its_caller_gave_up(freshbooks: httpx.AsyncClient, kind: str) -> None:
    """F1."""
    client = await new_client(freshbooks, organization="Quist AB")
    await control(
        freshbooks, "faults", {"method": "POST", "path": f"/{kind}s/", "fault": "late_commit", "seconds": 0.1}
    )
    with pytest.raises(httpx.RemoteProtocolError):
        await asked(freshbooks, kind, customerid=client["id"])
    assert await ids(freshbooks, kind) == []
    await asyncio.sleep(0.3)
    assert [each["via"] for each in await made(freshbooks, kind)] == ["late"]
    assert len(await ids(freshbooks, kind)) == 1


@BOTH
@pytest.mark.faults
@pytest.mark.parametrize(
    ("fault", "status", "count"), [("status", 503, 0), ("commit_then_status", 503, 1), ("ok_with_errors", 200, 0)]
)
async def test_an_error_says_little_about_what_was_written(
    freshbooks: httpx.AsyncClient, kind: str, fault: str, status: int, count: int
) -> None:
    client = await new_client(freshbooks, organization="Quist AB")
    await control(freshbooks, "faults", {"method": "POST", "path": f"/{kind}s/", "fault": fault, "times": 1})
    response = await asked(freshbooks, kind, customerid=client["id"])
    assert response.status_code == status
    assert "result" not in response.json().get("response", {})
    assert len(await made(freshbooks, kind)) == count


@BOTH
async def test_a_search_may_miss_a_new_document_that_its_id_finds(freshbooks: httpx.AsyncClient, kind: str) -> None:
    """F2: not found is no proof of absence."""
    await control(freshbooks, "settings", {"lags": {f"{kind}_number": 60}})
    document = await new(freshbooks, kind, **{f"{kind}_number": "CAP-1"})
    assert await ids(freshbooks, kind, **{f"{kind}_number": "CAP-1"}) == []
    assert await ids(freshbooks, kind) == await ids(freshbooks, kind, customerid=document["customerid"])
    assert (await read(freshbooks, kind, document))["id"] == document["id"]


@BOTH
async def test_a_search_may_show_a_document_as_it_was(freshbooks: httpx.AsyncClient, kind: str) -> None:
    """F14."""
    document = await new(freshbooks, kind, **{f"{kind}_number": "OLD"})
    await control(freshbooks, "settings", {"update_lag": 60})
    await changed(freshbooks, kind, document, **{f"{kind}_number": "NEW"})
    assert await ids(freshbooks, kind, **{f"{kind}_number": "OLD"}) == [document["id"]]
    assert await ids(freshbooks, kind, **{f"{kind}_number": "NEW"}) == []


async def test_documents_and_their_numbers_outlive_the_sandbox(tmp_path: Path) -> None:
    first = build_sandbox(tmp_path / "ledger.jsonl", records=1)
    async with caller(first, "freshbooks") as freshbooks:
        invoice = await new(freshbooks, "invoice", invoice_number="CAP-000007")
        estimate = await new(freshbooks, "estimate")
    await first.close()
    second = build_sandbox(tmp_path / "ledger.jsonl", records=1)
    async with caller(second, "freshbooks") as freshbooks:
        assert await read(freshbooks, "invoice", invoice) == invoice
        assert await read(freshbooks, "estimate", estimate) == estimate
        assert refusal(await asked(freshbooks, "invoice", invoice_number="CAP-000007"))[0] == 422
        later = await new(freshbooks, "invoice")
        assert (later["id"], later["invoice_number"]) == (invoice["id"] + 1, "CAP-000008")
    await second.close()


async def test_a_reset_forgets_documents_and_their_numbers(sandbox: Sandbox, freshbooks: httpx.AsyncClient) -> None:
    first = await new(freshbooks, "invoice", invoice_number="CAP-1")
    await control(freshbooks, "reset")
    assert await ids(freshbooks, "invoice") == []
    again = await new(freshbooks, "invoice", invoice_number="CAP-1")
    assert again["id"] == first["id"]
