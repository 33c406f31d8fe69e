"""`ledgerline audit` and `ledgerline erase`: an auditor reads what was written and why; a person can be forgotten."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from typer.testing import CliRunner

from runtime.errors import Stop
from starters.announce import client_upsert_id
from starters.audit import explain_field, show_record, verify_log, write_anchor
from starters.cli import app
from starters.erasure import _delete_run, erase_record
from store.audit import AuditEntry
from store.links import Agreement
from store.plans import NewItem, NewPlan
from store.records import RecordKey
from tests.sandboxes import Firm
from tests.workflows.office import Office

Said = Callable[[], str]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """What was printed since it was asked last."""
    return lambda: capsys.readouterr().out


async def written(firm: Firm, email: str = "nora@quist.test", party: int = 7, client: str = "90210") -> None:
    """Write an email address to a client, as a sync does."""
    entry = AuditEntry(
        "update",
        "capsule webhook party/updated",
        "0123456789abcdef",
        before={"email": None, "fname": "N."},
        after={"email": email, "fname": "Nora"},
        workflow_id=client_upsert_id(firm.name, party),
        request=f"PUT client {client}",
        answer="200",
        rules={"email": "from emailAddresses: choose, take, trim; owner crm"},
    )
    agreed = Agreement(client, {"email": email}, "crm-print", "books-print", "0123456789abcdef")
    await firm.store.links.confirm(firm.record_key(party), agreed, audit=entry)


async def test_the_history_of_a_party_is_shown_without_values(firm: Firm, installed: Path, said: Said) -> None:
    """S44, Z95"""
    await written(firm, "old@quist.test")
    await written(firm)
    assert await show_record("7", None, values=False) == 0
    shown = said()
    assert shown.index("2  ") < shown.index("1  ")
    assert "update  client 90210 (of party 7)" in shown
    assert "fields: email, fname; mapping 0123456789abcdef" in shown
    assert "because of capsule webhook party/updated; request PUT client 90210, answer 200" in shown
    assert "quist" not in shown
    assert "Nora" not in shown


async def test_values_are_shown_to_whoever_asks_for_them(firm: Firm, installed: Path, said: Said) -> None:
    await written(firm)
    assert await show_record("client:90210", None, values=True) == 0
    assert 'email: null → "nora@quist.test"' in said()


async def test_a_name_cannot_play_tricks_with_the_terminal(firm: Firm, installed: Path, said: Said) -> None:
    """Values come from other systems: escape sequences and markup in them stay what they are."""
    await written(firm, "[red]\x1b[2Jnora@quist.test")
    await show_record("party:7", None, values=True)
    shown = said()
    assert "\x1b" not in shown
    assert '"[red]\\u001b[2Jnora@quist.test"' in shown


async def test_a_field_is_explained_in_sentences(firm: Firm, installed: Path, said: Said) -> None:
    """S44: which event, rule, request and answer made this value."""
    await written(firm)
    assert await explain_field("7", "email", None, values=False) == 0
    shown = said()
    assert re.search(r"email of client 90210 \(of party 7\) was last written \d s ago", shown)
    assert "That was row 1 of the audit log: update, because of capsule webhook party/updated." in shown
    assert f"The workflow was {client_upsert_id(firm.name, 7)}; request PUT client 90210, answer 200." in shown
    assert "The rule was: from emailAddresses: choose, take, trim; owner crm (mapping 0123456789abcdef)." in shown
    assert "quist" not in shown
    await explain_field("7", "email", None, values=True)
    assert 'It was null and became "nora@quist.test".' in said()


async def test_a_field_that_was_never_written_is_answered_with_those_that_were(firm: Firm, installed: Path) -> None:
    await written(firm)
    with pytest.raises(Stop, match="no write of phone is recorded for 7; recorded are: email, fname"):
        await explain_field("7", "phone", None, values=False)


async def test_a_record_that_nobody_wrote_to_is_named(firm: Firm, installed: Path) -> None:
    with pytest.raises(Stop, match=f"nothing was ever written for party 8 of {firm.name}"):
        await show_record("8", None, values=False)
    with pytest.raises(Stop, match=f"nothing was ever written for invoice 8 of {firm.name}"):
        await show_record("invoice:8", None, values=False)
    with pytest.raises(Stop, match="'payment:8' is no record: write a party as 7 or party:7"):
        await show_record("payment:8", None, values=False)


async def test_of_several_firms_one_has_to_be_named(firm: Firm, installed: Path, said: Said) -> None:
    await written(firm)
    elsewhere = RecordKey("globex", "clients", "7")
    agreed = Agreement("1", {}, "crm-print", "books-print", "v1")
    await firm.store.links.confirm(elsewhere, agreed, audit=AuditEntry("adopt", "capsule sweep", "v1"))
    installed.write_text(f"data: {installed.parent}\n")
    with pytest.raises(Stop, match=f"say which connection with --connection: {firm.name}, globex"):
        await show_record("7", None, values=False)
    assert await show_record("7", "globex", values=False) == 0
    assert "client 1 (of party 7)" in said()
    assert await show_record("client:90210", None, values=False) == 0


async def test_a_whole_log_is_verified_with_its_anchors(firm: Firm, installed: Path, said: Said) -> None:
    """S44"""
    await written(firm)
    assert await verify_log([]) == 0
    assert "no anchor is known, so nobody can tell whether the end is missing" in said()
    assert await write_anchor() == 0
    letter = said().strip()
    assert letter.startswith("1:")
    await written(firm)
    assert await verify_log([letter]) == 0
    assert "the audit log is whole: 2 rows, 2 anchors, head 2:" in said()


async def test_a_changed_row_is_told_and_the_exit_code_is_one(firm: Firm, installed: Path, said: Said) -> None:
    await written(firm)
    await write_anchor()
    async with firm.store.database.writing() as session:
        await session.execute(text("DROP TRIGGER audit_no_update"))
        await session.execute(text("UPDATE audit SET answer = '422'"))
    assert await verify_log([]) == 1
    shown = said()
    assert "wrong: row 1 is not as it was written" in shown
    assert "is whole" not in shown
    assert "audit-anchors.jsonl away" in shown


async def test_yesterdays_log_is_told_by_the_anchor_in_the_letter(firm: Firm, installed: Path, said: Said) -> None:
    await written(firm)
    assert await verify_log([f"5:{64 * '0'}"]) == 1
    assert "wrong: row 5 is gone, which the anchor given holds" in said()
    with pytest.raises(Stop, match="an anchor is a number, a colon and 64 hexadecimal digits"):
        await verify_log(["5"])


async def test_a_folder_that_cannot_be_written_to_is_named(firm: Firm, installed: Path) -> None:
    await written(firm)
    (installed.parent / "audit-anchors.jsonl").mkdir()
    with pytest.raises(Stop, match=r"audit-anchors\.jsonl cannot be"):
        await write_anchor()


async def test_a_person_is_forgotten_with_the_histories_of_their_syncs(
    temporal: Client, firm: Firm, installed: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Z133: the workflow is open and held; it ends, so that it cannot write down again what was erased."""
    asked = spied(monkeypatch)
    await written(firm)
    workflow_id = client_upsert_id(firm.name, 7)
    await firm.store.holds.open(workflow_id, firm.record_key(7), "conflict", {"explanation": "Nora Quist"})
    closed = await temporal.start_workflow("NobodyRunsThis", id=workflow_id, task_queue="nobody")
    await closed.terminate()
    still_open = await temporal.start_workflow("NobodyRunsThis", id=workflow_id, task_queue="nobody")
    await listed(temporal, workflow_id, 2)
    assert await erase_record("7", None, sure=True) == 0
    shown = said()
    assert f"to be erased of party 7, client 90210 in {firm.name}: the values of 1 rows of the audit log" in shown
    assert "erased; a link stays" in shown
    assert "its histories in Temporal are being deleted" in shown
    assert "delete them in both systems first" in shown
    assert await is_gone(temporal, workflow_id, still_open.first_execution_run_id)
    assert closed.first_execution_run_id in asked  # the server takes half a minute to delete a closed run
    assert await firm.store.holds.listed() == []
    assert await firm.store.links.crm_id_of(firm.name, "clients", "90210") == "7"
    await show_record("7", None, values=True)
    assert "the values were erased" in said()
    assert await verify_log([]) == 0


async def test_a_forgotten_party_that_is_still_there_keeps_its_client(
    office: Office, firm: Firm, installed: Path, said: Said
) -> None:
    """Z133, F4: the next pass has no base and agrees anew; it creates nothing."""
    nora = {"firstName": "Nora", "lastName": "Quist", "emailAddresses": [{"address": "nora@quist.test"}]}
    async with office.working():
        party = await firm.new_party(type="person", **nora)
        client = (await office.sync(party)).client_id
        assert await erase_record(str(party), None, sure=True) == 0
        await firm.change_party(party, lastName="Quist-Berg")
        after = await office.sync(party)
    assert (after.outcome, after.client_id) == ("updated", client)
    assert [each["lname"] for each in firm.clients()] == ["Quist-Berg"]
    link = await firm.store.links.of_crm(firm.record_key(party))
    assert link is not None
    assert link.base is not None
    assert await verify_log([]) == 0


async def test_without_temporal_the_store_is_erased_and_the_commands_for_the_rest_are_said(
    firm: Firm, installed: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    await written(firm)
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    assert await erase_record("7", None, sure=True) == 1
    shown = said()
    assert "its histories in Temporal were not deleted: no Temporal server answers at 127.0.0.1:1" in shown
    assert f"temporal workflow delete --query 'WorkflowId = \"{client_upsert_id(firm.name, 7)}\"'" in shown
    await explain_field("7", "email", None, values=True)
    assert "What it said before and after is not kept any more: the values were erased." in said()


async def test_nothing_is_erased_unless_a_person_agrees(
    firm: Firm, installed: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    await written(firm)
    for answer in ("n", None):
        monkeypatch.setattr("builtins.input", lambda *_, answer=answer: _answered(answer))
        assert await erase_record("7", None, sure=False) == 1
        assert "nothing was erased" in said()
    await show_record("7", None, values=True)
    assert "nora@quist.test" in said()


async def test_a_merged_party_is_erased_by_the_one_that_is_left(firm: Firm, installed: Path) -> None:
    """F17"""
    await written(firm)
    merge = AuditEntry("merge", "capsule: party 7 merged into 9", "v1")
    await firm.store.links.follow_merge(firm.record_key(7), "9", merge)
    with pytest.raises(Stop, match="party 7 was merged into party 9: erase that one, and it goes too"):
        await erase_record("7", None, sure=True)


async def test_what_plans_say_of_people_goes_too(firm: Firm, installed: Path, said: Said) -> None:
    """Z133: a plan may name a person for whom nothing was ever written, and quote one as another's candidate."""
    plans, now = firm.store.plans, datetime.now(UTC)
    await plans.begin(NewPlan("plan-1", firm.name, "clients", "v1", two_way=False, expires_at=now))
    item = NewItem("create", "books", party_id=8, detail={"name": "Nora Quist"})
    await plans.add([plans.row("plan-1", 1, item)])
    assert await erase_record("8", None, sure=True) == 0
    assert "nothing is kept of 8 itself; to be erased: what 1 plans say" in said()
    assert [each.detail for each in await plans.items("plan-1", None, 0, 10)] == [{}]


async def test_whom_nobody_knows_cannot_be_erased(firm: Firm, installed: Path) -> None:
    with pytest.raises(Stop, match="nothing is known of 8 in"):
        await erase_record("8", None, sure=True)


def test_help_names_what_there_is() -> None:
    shown = CliRunner().invoke(app, ["audit", "--help"])
    assert shown.exit_code == 0
    assert all(f" {command} " in shown.output for command in ("show", "explain", "verify", "anchor"))


def _answered(answer: str | None) -> str:
    if answer is None:
        raise EOFError
    return answer


def spied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the runs whose deletion is asked for, as it happens."""
    asked: list[str] = []

    async def delete_run(temporal: Client, workflow_id: str, run_id: str) -> None:
        asked.append(run_id)
        await _delete_run(temporal, workflow_id, run_id)

    monkeypatch.setattr("starters.erasure._delete_run", delete_run)
    return asked


async def listed(temporal: Client, workflow_id: str, runs: int) -> None:
    """Wait until the server lists so many runs; it lists them a moment after they began."""
    async with asyncio.timeout(10):
        while (await temporal.count_workflows(f'WorkflowId = "{workflow_id}"')).count < runs:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def is_gone(temporal: Client, workflow_id: str, run_id: str | None) -> bool:
    """Return whether a run is gone; the server deletes a little later than it says."""
    handle = temporal.get_workflow_handle(workflow_id, run_id=run_id)
    for _ in range(100):
        try:
            await handle.describe()
        except RPCError as error:
            return error.status is RPCStatusCode.NOT_FOUND
        await asyncio.sleep(0.05)
    return False
