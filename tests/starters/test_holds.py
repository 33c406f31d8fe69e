"""`ledgerline holds`: a bookkeeper sees what waits, and decides it."""

from pathlib import Path

import pytest

from runtime.errors import Stop
from starters.announce import client_upsert_id
from starters.holds import all_held, list_holds, resolve_holds, show_hold
from store.records import RecordKey
from tests.sandboxes import Firm
from tests.workflows.office import Office
from workflows.consent import consent_id
from workflows.models import Resolution

TWIN = {"firstName": "Tina", "lastName": "Twin", "emailAddresses": [{"address": "twin@firm.test"}]}


async def two_candidates(office: Office, firm: Firm) -> tuple[str, list[int]]:
    """Let a party wait because two clients have its address; return the hold's id and the clients."""
    clients = [await firm.new_client(lname=name, email="twin@firm.test") for name in ("One", "Two")]
    party = await firm.new_party(type="person", **TWIN)
    await office.announce(party)
    await office.hold(party)
    return client_upsert_id(firm.name, party), clients


async def test_a_hold_is_listed_explained_and_decided(
    office: Office, firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """S46, S48, Z40; F4: which of two clients it is, a person says."""
    async with office.working():
        workflow_id, clients = await two_candidates(office, firm)
        await list_holds(None)
        assert workflow_id in capsys.readouterr().out
        await show_hold(workflow_id)
        shown = capsys.readouterr().out
        assert shown.startswith("doubtful-match: 2 clients may be this party's")
        assert "choices: pick (a client or a party), create, retry, skip" in shown
        assert await resolve_holds([workflow_id], Resolution(choice="pick", client_id=clients[1])) == 0
        result = await office.temporal.get_workflow_handle(workflow_id).result()
    assert (result["outcome"], result["client_id"]) == ("adopted", clients[1])
    assert firm.client(clients[1])["lname"] == "Twin"


async def test_lost_consent_is_shown_with_the_command_that_mends_it(
    firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """S11: to skip an account would mean to sync nothing."""
    key = RecordKey(firm.name, "connection", "freshbooks")
    await firm.store.holds.open(consent_id(firm.name, "freshbooks"), key, "needs-consent", {})
    await show_hold(consent_id(firm.name, "freshbooks"))
    assert (
        f"choices: run `ledgerline connect freshbooks --connection {firm.name}`; or retry\n" in capsys.readouterr().out
    )


async def test_what_cannot_be_decided_is_said_and_counts_as_failed(
    office: Office, firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with office.working():
        workflow_id, _ = await two_candidates(office, firm)
        assert (
            await resolve_holds([workflow_id, "client-upsert/nobody/capsule-party-1"], Resolution(choice="pick")) == 1
        )
        said = capsys.readouterr().out
        assert f"{workflow_id}: say which client" in said
        assert "client-upsert/nobody/capsule-party-1: not decided" in said
        assert await resolve_holds([workflow_id], Resolution(choice="skip")) == 0


async def test_holds_are_chosen_by_their_reason(office: Office, firm: Firm, installed: Path) -> None:
    async with office.working():
        workflow_id, _ = await two_candidates(office, firm)
        assert await all_held("doubtful-match") == [workflow_id]
        assert await all_held("rejected") == []
        await resolve_holds(await all_held(None), Resolution(choice="skip"))
    assert await all_held(None) == []


async def test_an_unknown_hold_is_named(firm: Firm, installed: Path) -> None:
    with pytest.raises(Stop, match="nothing is held under client-upsert/acme/capsule-party-1"):
        await show_hold("client-upsert/acme/capsule-party-1")
