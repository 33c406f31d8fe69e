import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.app import Sandbox, build_sandbox
from sandbox.ledger import LedgerError
from tests.sandbox.conftest import CAPSULE, CLIENTS, Receiver, caller, changed_party, new_client, new_party
from tests.sandbox.test_freshbooks_callbacks import verified


def state(sandbox: Sandbox) -> dict[str, Any]:
    """Return all that must outlive a restart."""
    services = (sandbox.capsule_service, sandbox.freshbooks_service)
    return {
        each.system: {
            "records": json.loads(json.dumps(each.records.tables)),
            "deletions": [key for key, _ in each.records.deletions["party"]],
            "next": {kind: each.records.next_id(kind) for kind in ("party", "client", "row", "callback", "token")},
            "about": each.about(),
        }
        for each in services
    }


async def some_work(sandbox: Sandbox, receiver: Receiver) -> None:
    """Write something of everything."""
    async with caller(sandbox, "capsule") as capsule, caller(sandbox, "freshbooks") as freshbooks:
        email = [{"address": "ap@acme.example"}]
        party = await new_party(capsule, emailAddresses=email, fields=[{"definition": 731, "value": "GB1"}])
        await changed_party(capsule, party["id"], tags=[{"name": "Fresh"}], emailAddresses=email)
        gone = await new_party(capsule, name="Gone Ltd", emailAddresses=email)
        await capsule.delete(f"/parties/{gone['id']}")
        await capsule.post("/resthooks", json={"restHook": {"event": "task/created", "targetUrl": "https://us.test"}})
        await verified(sandbox, freshbooks, receiver)
        client = await new_client(freshbooks, fname="Nora", contacts=[{"fname": "Ada"}])
        await freshbooks.put(f"{CLIENTS}/{client['id']}", json={"client": {"vis_state": 1}})
        about = sandbox.freshbooks_service.about()
        form = {"grant_type": "refresh_token", "refresh_token": about["tokens"]["refresh"], **about["oauth"]}
        await freshbooks.post("/auth/oauth/token", data={**form, "redirect_uri": "https://us.test"})
    await sandbox.settle()


async def test_a_restart_from_the_ledger_finds_everything_as_it_was(tmp_path: Path, receiver: Receiver) -> None:
    path = tmp_path / "ledger.jsonl"
    before = build_sandbox(path, records=20, hook_transport=receiver)
    await some_work(before, receiver)
    expected = state(before)
    await before.close()
    after = build_sandbox(path, records=20, hook_transport=receiver)
    assert state(after) == expected
    await after.close()


async def test_every_write_is_a_line_before_it_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    sandbox = build_sandbox(path)
    async with caller(sandbox, "capsule") as capsule:
        party = await new_party(capsule)
        (line,) = path.read_text().splitlines()
        entry = json.loads(line)
        assert (entry["seq"], entry["system"], entry["operation"], entry["kind"]) == (1, "capsule", "create", "party")
        assert (entry["id"], entry["record"]["name"], entry["via"]) == (party["id"], "Acme Ltd", "api")
        refused = await capsule.post("/parties", json={"party": {"type": "organisation"}})
        assert refused.status_code == 422
        assert len(path.read_text().splitlines()) == 1
    await sandbox.close()


async def test_a_line_cut_by_a_crash_is_dropped_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "ledger.jsonl"
    sandbox = build_sandbox(path)
    async with caller(sandbox, "capsule") as capsule:
        await new_party(capsule)
    await sandbox.close()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    with caplog.at_level(logging.WARNING):
        again = build_sandbox(path)
    assert "cut off by a crash" in caplog.text
    assert path.read_bytes() == whole
    async with caller(again, "capsule") as capsule:
        await new_party(capsule, name="Next Ltd")
    await again.close()
    assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == [1, 2]


def test_a_ledger_that_is_broken_in_the_middle_is_not_guessed_at(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"seq": 1\n{"seq": 2}\n')
    with pytest.raises(LedgerError, match="line 1 of the ledger"):
        build_sandbox(path)


async def test_each_port_tells_its_own_entries_of_a_kind_after_a_number(
    capsule: httpx.AsyncClient, freshbooks: httpx.AsyncClient
) -> None:
    await new_client(freshbooks, fname="Nora")
    await new_party(capsule, tags=[{"name": "Fresh"}])
    url = f"{CAPSULE}/_sandbox/ledger"
    assert [each["kind"] for each in (await capsule.get(url)).json()["entries"]] == ["tag", "party"]
    parties = (await capsule.get(url, params={"kind": "party", "after": 1})).json()["entries"]
    assert [each["seq"] for each in parties] == [3]
    assert (await capsule.get(url, params={"after": 3})).json()["entries"] == []
    assert (await capsule.get(url, params={"after": "x"})).status_code == 422
