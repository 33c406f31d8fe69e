"""`ledgerline doctor`, against a whole installation in this process: what is wrong, and what to do about it."""

import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
from temporalio import workflow
from temporalio.client import Client, ScheduleActionStartWorkflow
from temporalio.worker import Worker

import starters.doctor
import starters.doctor_schedules
from runtime.load import load_settings
from runtime.opportunities import OpportunitiesFlow
from runtime.queues import WORKFLOW_QUEUE
from runtime.settings import Settings
from starters.doctor import run_doctor
from starters.doctor_schedules import examine_schedules
from starters.doctor_webhooks import examine_inbox, examine_reach, examine_ways
from starters.findings import Finding
from starters.forwarding import Forwarder
from starters.operators import make_schedules
from starters.receiver import create_receiver
from starters.schedules import ensure_schedules
from starters.wanted_schedules import wanted_schedules
from store.inbox import MOST_ATTEMPTS
from store.news import Difference, Told
from store.store import open_store
from tests.pipelines import OpenPipeline
from tests.sandboxes import HOOKS, Firm
from tests.starters.doorway import Heard
from tests.workflows.office import Office, until
from workflows.hooks import HookUpkeep
from workflows.models import ConnectionRequest


@workflow.defn(sandboxed=False)
class Fails:
    @workflow.run
    async def run(self) -> None:
        raise ValueError("no")


@pytest.fixture
def receiver(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> httpx.AsyncBaseTransport:
    """Let the receiver answer at its public address."""
    app = create_receiver({}, Forwarder(Heard(firm.store), firm.store))
    transport = httpx.ASGITransport(app)
    monkeypatch.setattr(starters.doctor, "examine_reach", partial(examine_reach, transport=transport))
    return transport


@pytest.fixture
async def scheduled(office: Office, installed: Path) -> AsyncIterator[Settings]:
    """Make the installation's schedules, and take them away at the end."""
    settings = load_settings(installed)
    await make_schedules()
    yield settings
    for wanted in wanted_schedules(settings):
        await office.temporal.get_schedule_handle(wanted.id).delete()


def answering(answer: httpx.Response) -> httpx.AsyncBaseTransport:
    return httpx.MockTransport(lambda _: answer)


def level(findings: list[Finding], start: str) -> str:
    """Return the level of the one finding that begins so."""
    (found,) = [each.level for each in findings if each.text.startswith(start)]
    return found


async def test_the_doctor_finds_nothing_wrong_with_a_whole_installation(
    office: Office,
    firm: Firm,
    receiver: httpx.AsyncBaseTransport,
    scheduled: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Z20, S51."""
    await firm.new_field("Ledgerline reference")
    async with office.working():
        await register_webhooks(office)
        capsys.readouterr()
        code = await run_doctor()
    said = capsys.readouterr().out
    assert (code, said.splitlines()[-1]) == (0, "all is well"), said
    assert f"ok      {firm.name}: capsule: account sandbox" in said
    assert f"ok      receiver: answers at {HOOKS}" in said
    assert f"ok      {firm.name}: freshbooks: webhooks: client" in said


async def test_the_doctor_says_what_to_do_about_missing_schedules(
    office: Office, firm: Firm, installed: Path, receiver: httpx.AsyncBaseTransport, capsys: pytest.CaptureFixture[str]
) -> None:
    async with office.working():
        code = await run_doctor()
    said = capsys.readouterr().out
    assert code == 1
    (missing,) = [line for line in said.splitlines() if line.endswith("missing; run ledgerline schedules")]
    assert missing.startswith("wrong   schedules: ")
    assert f"party-sweep/{firm.name}, client-sweep/{firm.name}" in missing


async def test_the_doctor_says_what_to_do_about_a_temporal_that_does_not_answer(
    firm: Firm,
    installed: Path,
    receiver: httpx.AsyncBaseTransport,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    assert await run_doctor() == 1
    assert "no Temporal server answers at 127.0.0.1:1; start one with `ledgerline up`" in capsys.readouterr().out


async def test_the_doctor_says_that_nobody_works(
    office: Office,
    firm: Firm,
    scheduled: Settings,
    receiver: httpx.AsyncBaseTransport,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """S51."""
    monkeypatch.setattr(starters.doctor, "WORKER_PATIENCE", 0.3)
    assert await run_doctor() == 1
    assert f"{firm.name}: no worker answers; start one with ledgerline worker" in capsys.readouterr().out
    await end_checks(office.temporal, firm)


async def test_the_doctor_never_shows_a_token(
    office: Office, firm: Firm, installed: Path, receiver: httpx.AsyncBaseTransport, capsys: pytest.CaptureFixture[str]
) -> None:
    """Z137."""
    firm.use(capsule_token="expired-token")
    async with office.working():
        await run_doctor()
    said = capsys.readouterr().out
    assert "capsule: Capsule refused to read the site (HTTP 401)" in said
    assert "expired-token" not in said
    assert firm.connection.freshbooks.token.get_secret_value() not in said


async def test_a_hold_is_wrong_until_a_person_has_decided(
    firm: Firm,
    installed: Path,
    receiver: httpx.AsyncBaseTransport,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """S46."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    store = await open_store(load_settings(installed))
    await store.holds.open(f"client-upsert/{firm.name}/capsule-party-7", firm.record_key(7), "conflict", {})
    await store.close()
    await run_doctor()
    assert "holds: 1 wait for a person; see ledgerline holds list" in capsys.readouterr().out


async def test_a_schedule_that_is_paused_is_a_warning_with_its_reason(
    office: Office, firm: Firm, scheduled: Settings
) -> None:
    await office.temporal.get_schedule_handle(f"party-sweep/{firm.name}").pause(note="Ida: month end")
    findings = await examine_schedules(office.temporal, scheduled)
    assert level(findings, f"schedule party-sweep/{firm.name}: paused (Ida: month end)") == "warning"


async def test_a_schedule_whose_last_run_failed_is_wrong(office: Office, firm: Firm, scheduled: Settings) -> None:
    """F35: a silent stop is no stop that nobody sees."""
    (sweep,) = [each for each in wanted_schedules(scheduled) if each.id == f"party-sweep/{firm.name}"]
    queue = f"failing-{uuid.uuid4().hex}"
    sweep.schedule.action = ScheduleActionStartWorkflow(Fails.run, id=sweep.id, task_queue=queue)
    await ensure_schedules(office.temporal, [sweep], run_now=True)
    workers = Worker(
        office.temporal, task_queue=queue, workflows=[Fails], workflow_failure_exception_types=[ValueError]
    )
    async with workers:

        async def failed() -> bool:
            found = await examine_schedules(office.temporal, scheduled)
            return any("its last run failed" in each.text and each.level == "wrong" for each in found)

        assert await until(failed)


async def test_a_schedule_that_should_have_run_long_ago_is_wrong(
    office: Office, firm: Firm, scheduled: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F35."""
    monkeypatch.setattr(starters.doctor_schedules, "LATE_AFTER", -1)
    findings = await examine_schedules(office.temporal, scheduled)
    assert level(findings, f"schedule party-sweep/{firm.name}: last ran 1 min ago, and should every 5 min") == "wrong"


async def test_a_run_without_end_is_a_warning(
    office: Office, firm: Firm, scheduled: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No worker runs here, and while one sweep waits no other begins."""
    monkeypatch.setattr(starters.doctor_schedules, "LATE_AFTER", 0)
    monkeypatch.setattr(starters.doctor_schedules, "LONG_RUN", timedelta(seconds=-1))
    handle = office.temporal.get_schedule_handle(f"party-sweep/{firm.name}")
    await handle.trigger()

    async def begun() -> bool:
        return bool((await handle.describe()).info.recent_actions)

    await until(begun)
    findings = await examine_schedules(office.temporal, scheduled)
    assert level(findings, f"schedule party-sweep/{firm.name}: a run has gone on for 1 min") == "warning"
    for action in (await handle.describe()).info.running_actions:
        await office.temporal.get_workflow_handle(getattr(action, "workflow_id", "")).terminate()


async def test_a_schedule_that_nobody_wants_any_more_is_named(office: Office, firm: Firm, scheduled: Settings) -> None:
    """S45: the direction was changed."""
    connection = scheduled.connections[firm.name]
    clients = connection.clients.model_copy(update={"direction": "to-books"})
    one_way = scheduled.model_copy(
        update={"connections": {firm.name: connection.model_copy(update={"clients": clients})}}
    )
    findings = await examine_schedules(office.temporal, one_way)
    assert level(findings, f"schedule client-sweep/{firm.name}: the settings no longer ask for it") == "note"


async def test_the_receiver_is_found_behind_a_proxy_that_passes_only_webhooks(firm: Firm) -> None:
    """Z131: the proxy of the example lets nothing else through."""
    app = create_receiver({}, Forwarder(Heard(firm.store), firm.store))
    inner = httpx.ASGITransport(app)

    class Proxy(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            passes = request.method == "POST" and request.url.path.startswith("/hooks/")
            return await inner.handle_async_request(request) if passes else httpx.Response(404)

    assert (await examine_reach(firm.settings, Proxy())).level == "ok"


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(200, text="Welcome"), httpx.Response(301, headers={"Location": "/"}), httpx.Response(502)],
    ids=["a website", "a redirect", "a proxy without a receiver"],
)
async def test_something_else_at_the_public_address_is_wrong(firm: Firm, answer: httpx.Response) -> None:
    found = await examine_reach(firm.settings, answering(answer))
    assert (found.level, found.text.split(";")[0]) == ("wrong", f"receiver: something else answers at {HOOKS}")


async def test_nothing_at_the_public_address_is_wrong(firm: Firm) -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    found = await examine_reach(firm.settings, httpx.MockTransport(nobody))
    assert (found.level, "ConnectError" in found.text) == ("wrong", True)


async def test_without_a_public_address_there_is_nothing_to_reach(firm: Firm) -> None:
    receiver = firm.settings.receiver.model_copy(update={"public_url": None})
    assert (await examine_reach(firm.settings.model_copy(update={"receiver": receiver}))).level == "note"


async def test_a_change_that_was_set_aside_is_wrong_and_named(firm: Firm) -> None:
    """F35."""
    await firm.store.inbox.park(firm.name, "capsule", "party/updated", ["7", "8"])
    first, _ = await firm.store.inbox.oldest(2)
    await firm.store.inbox.failed(replace(first, attempts=MOST_ATTEMPTS - 1), "INVALID_ARGUMENT")
    waiting, aside = await examine_inbox(firm.store)
    assert (waiting.level, waiting.text) == ("note", "inbox: 1 changes wait for Temporal")
    assert aside.level == "wrong"
    assert "capsule 7 (INVALID_ARGUMENT); mend the cause, then restart the receiver" in aside.text


async def test_webhooks_that_miss_every_second_change_are_a_warning(firm: Firm) -> None:
    """F13, S50."""
    now = datetime.now(UTC)
    await firm.store.news.told([Told(firm.name, "capsule", str(number), now) for number in range(10)])
    found = [Difference(str(number), "state", now) for number in range(10, 20)]
    await firm.store.news.swept(firm.name, "capsule", found)
    (finding,) = await examine_ways(firm.store, firm.settings)
    assert finding.level == "warning"
    assert "webhooks of capsule miss changes: 10 in the last week" in finding.text


async def test_a_few_missed_changes_say_nothing(firm: Firm) -> None:
    """S29."""
    await firm.store.news.swept(firm.name, "capsule", [Difference("7", "state", datetime.now(UTC))])
    assert await examine_ways(firm.store, firm.settings) == []


async def register_webhooks(office: Office) -> None:
    """Have the webhooks of both systems registered, and the callback's handshake answered."""
    firm = office.firm
    await office.temporal.execute_workflow(
        HookUpkeep.run,
        ConnectionRequest(connection=firm.name),
        id=f"hook-upkeep/{firm.name}/once",
        task_queue=WORKFLOW_QUEUE,
    )
    (callback,) = firm.sandbox.freshbooks_service.records.all("callback")
    await office.announcer.handshake(firm.name, str(callback["callbackid"]), callback["verifier"])
    verification = f"callback-verification/{firm.name}/freshbooks-callback-{callback['callbackid']}"
    assert await office.temporal.get_workflow_handle(verification).result()


async def end_checks(temporal: Client, firm: Firm) -> None:
    async for each in temporal.list_workflows("WorkflowType = 'ConnectionCheck' AND ExecutionStatus = 'Running'"):
        if firm.name in each.id:
            await temporal.get_workflow_handle(each.id).terminate()


async def test_the_sweep_of_opportunities_that_nobody_wants_any_more_is_named(office: Office, firm: Firm) -> None:
    """S45: the section `opportunities` was taken out of the settings."""
    sold = firm.connection.model_copy(update={"opportunities": OpportunitiesFlow()})
    settings = firm.settings.model_copy(update={"connections": {firm.name: sold}})
    schedule_id = f"opportunity-sweep/{firm.name}"
    (sweep,) = [each for each in wanted_schedules(settings) if each.id == schedule_id]
    await ensure_schedules(office.temporal, [sweep], run_now=False)
    findings = await examine_schedules(office.temporal, firm.settings)
    assert level(findings, f"schedule {schedule_id}: the settings no longer ask for it") == "note"
    await office.temporal.get_schedule_handle(schedule_id).delete()


async def test_the_doctor_names_owners_on_the_terminal_and_in_no_log(
    open_with: OpenPipeline,
    installed: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """S51: addresses are personal data; who asks sees them, and nobody else."""
    async with open_with(default_owner="") as pipeline:
        monkeypatch.setattr(starters.doctor, "load_settings", lambda: pipeline.firm.settings)
        with caplog.at_level("DEBUG"):
            await run_doctor()
        said = capsys.readouterr()
        name, crm = pipeline.firm.name, pipeline.firm.connection.crm
    assert f"{name}: {crm}: opportunities: every milestone that the settings name exists" in said.out
    (owners,) = [line for line in said.out.splitlines() if "freshbooks: owners: " in line]
    addresses = re.findall(r"[\w.-]+@[\w.-]+\w", owners)
    assert addresses
    assert not any(address in text for address in addresses for text in (said.err, caplog.text))
