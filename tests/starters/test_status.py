"""`ledgerline status`: what stands how, and what is known of one record."""

import json
from pathlib import Path

import pytest

from runtime.errors import Stop
from runtime.load import load_settings
from starters.asked_records import asked_for
from starters.status import status
from store.audit import AuditEntry
from store.links import Agreement
from store.store import open_store
from tests.sandboxes import Firm


async def _two_records(firm: Firm, installed: Path) -> None:
    store = await open_store(load_settings(installed))
    entry = AuditEntry("create", "capsule webhook party/updated", "v1", after={"email": "tina@firm.test"})
    await store.links.confirm(firm.record_key(7), Agreement("90007", {}, "", "", "v1"), audit=entry)
    await store.holds.open(f"client-upsert/{firm.name}/capsule-party-8", firm.record_key(8), "conflict", {})
    await store.close()


async def test_status_says_by_its_exit_code_whether_a_person_is_needed(
    firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """S6, S50: everything in numbers for a program, and one record that needs nobody."""
    assert await status(None, None, as_json=True) == 0
    capsys.readouterr()
    await _two_records(firm, installed)
    assert await status(None, firm.name, as_json=True) == 1
    said = json.loads(capsys.readouterr().out)["standings"]
    assert [(each["state"], each["reason"], each["count"]) for each in said] == [
        ("in-step", "", 1),
        ("held", "conflict", 1),
    ]
    assert await status("client:90007", None, as_json=False) == 0
    shown = capsys.readouterr().out
    assert all(each in shown for each in ("party 7", "client 90007", "in-step", "create: email"))
    assert "tina@" not in shown
    assert await status("capsule:8", None, as_json=False) == 1


async def test_a_record_or_a_connection_that_is_not_known_is_named(firm: Firm, installed: Path) -> None:
    await _two_records(firm, installed)
    for record in ("party:90007", "client:7", "9", ""):
        with pytest.raises(Stop, match="is not linked, held or waiting"):
            await status(record, None, as_json=False)
    with pytest.raises(Stop, match="there is no connection acme-2"):
        await status(None, "acme-2", as_json=True)


@pytest.mark.parametrize(
    ("text", "record_id", "side"),
    [
        ("7", "7", None),
        (" party:7 ", "7", "crm"),
        ("Client: 90001", "90001", "books"),
        ("capsule:7", "7", "crm"),
        ("freshbooks:90001", "90001", "books"),
        ("client-upsert/acme/capsule-party-7", "7", "crm"),
        ("opportunity-to-estimate/acme/zoho_crm-opportunity-701", "701", "crm"),
    ],
)
def test_people_name_records_in_many_ways(text: str, record_id: str, side: str | None) -> None:
    asked = asked_for(text)
    assert (asked.record_id, asked.named.side if asked.named else asked.side) == (record_id, side)
