"""What happens once an account is connected: its webhooks are registered, once, and whoever waits for it goes on."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes

import activities.errors
import worker.account_workers
import worker.connect
import worker.set_up
from connectors.http import http_client
from runtime.queues import WORKFLOW_QUEUE
from sandbox.service import Service
from store.store import open_store
from tests.attended import attended, holds, no_hold, one_hold, waiting
from tests.consents import registered
from tests.sandboxes import CAPSULE, FRESHBOOKS, ZOHO_CRM, Firm, Switchboard, sandbox_settings
from tests.worker.test_connect import Person
from tests.workflows.conftest import office
from tests.workflows.office import Office, until
from worker.connect import Wish, connect_account
from workflows.hooks import HookUpkeep
from workflows.models import ConnectionRequest
from workflows.search_attributes import CONNECTION

__all__ = ["office"]


@pytest.fixture
async def installed(
    temporal: Client, firm: Firm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Firm]:
    """Capsule and FreshBooks, to be connected by a person."""
    capsule = registered(firm.sandbox.capsule_service, CAPSULE)
    async with installation(temporal, firm, tmp_path, monkeypatch, capsule=capsule) as opened:
        yield opened


@pytest.fixture
async def installed_zoho(
    temporal: Client, zoho_firm: Firm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Firm]:
    """Zoho CRM and FreshBooks, to be connected by a person."""
    zoho = registered(zoho_firm.sandbox.zoho_crm_service, ZOHO_CRM, accounts_url=ZOHO_CRM, requests_per_minute=60_000)
    async with installation(temporal, zoho_firm, tmp_path, monkeypatch, zoho_crm=zoho) as opened:
        yield opened


@asynccontextmanager
async def installation(
    temporal: Client, firm: Firm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **crm_account: Any
) -> AsyncIterator[Firm]:
    """Both accounts are to be connected by a person; commands find our Temporal, our store and our key."""
    secret = base64.b64encode(bytes(range(32))).decode()
    key = tmp_path / "ledgerline.key"
    key.write_text(f"payload-tests {secret}\nk1 {secret}\n")  # Temporal's payloads, and the firm's store
    key.chmod(0o600)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.service_client.config.target_host)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "none.toml"))
    stand_ins = firm.sandbox
    switchboard = Switchboard(capsule=stand_ins.capsule, freshbooks=stand_ins.freshbooks, zoho=stand_ins.zoho_crm)
    monkeypatch.setattr(worker.connect, "http_client", lambda: http_client(switchboard))
    monkeypatch.setattr(worker.account_workers, "LOOK_EVERY", 0.1)
    monkeypatch.setattr(activities.errors, "TOKEN_CHECK", activities.errors.TOKEN_CHECK / 30)
    accounts = {**crm_account, "freshbooks": registered(stand_ins.freshbooks_service, FRESHBOOKS)}
    firm.settings = sandbox_settings(firm.name, stand_ins, tmp_path, crm=firm.connection.crm, **accounts)
    firm.store = await open_store(firm.settings)
    yield firm
    await firm.store.close()


async def connect(firm: Firm, system: str) -> str:
    """Connect an account, and return what the person read."""
    person = Person(firm.http)
    person._answers.append(person.agree)
    assert await connect_account(firm.settings, Wish(system, firm.name, paste=True), person) == 0
    return person.text


def events(service: Service, kind: str) -> list[Any]:
    return sorted(each["event"] for each in service.records.all(kind))


async def test_the_second_account_brings_the_webhooks_of_both(office: Office, installed: Firm) -> None:
    """S45: without waiting for the next hour."""
    async with attended(office):
        first = await connect(installed, "capsule")
        command = f"ledgerline connect freshbooks --connection {installed.name}"
        assert f"Webhooks: once freshbooks is connected, too: {command}" in first
        second = await connect(installed, "freshbooks")
    assert "Webhooks: made party/created, party/updated, party/deleted, client" in second
    assert events(installed.sandbox.capsule_service, "resthook") == ["party/created", "party/deleted", "party/updated"]
    assert events(installed.sandbox.freshbooks_service, "callback") == ["client"]


async def test_zohos_channels_are_registered_once_both_accounts_are_connected(
    temporal: Client, installed_zoho: Firm
) -> None:
    """S45, Z29: in the other order, too; and connecting again keeps them."""
    zoho_office = Office(temporal, installed_zoho)
    async with attended(zoho_office):
        first = await connect(installed_zoho, "freshbooks")
        command = f"ledgerline connect zoho_crm --connection {installed_zoho.name}"
        assert f"Webhooks: once zoho_crm is connected, too: {command}" in first
        assert "Webhooks: made Contacts.all, Accounts.all, client" in await connect(installed_zoho, "zoho_crm")
        assert "Webhooks: kept Contacts.all, Accounts.all, client" in await connect(installed_zoho, "zoho_crm")
    channels = installed_zoho.sandbox.zoho_crm_service.records.all("channel")
    assert [each["events"] for each in channels] == [["Contacts.all"], ["Accounts.all"]]
    await zoho_office.close()


async def test_an_upkeep_that_has_waited_for_the_account_is_not_doubled(office: Office, installed: Firm) -> None:
    """Two at once would both find nothing, and Capsule has room for twenty webhooks."""
    await office.temporal.start_workflow(
        HookUpkeep.run,
        ConnectionRequest(connection=installed.name),
        id=f"hook-upkeep/{installed.name}-by-schedule",
        task_queue=WORKFLOW_QUEUE,
        search_attributes=of_connection(installed.name),
    )
    await until(lambda: listed(office, installed.name))
    async with attended(office):
        await connect(installed, "capsule")
        said = await connect(installed, "freshbooks")
    assert "Webhooks: made party/created" in said
    assert len(events(installed.sandbox.capsule_service, "resthook")) == 3
    assert len(events(installed.sandbox.freshbooks_service, "callback")) == 1


def of_connection(name: str) -> TypedSearchAttributes:
    return TypedSearchAttributes([SearchAttributePair(CONNECTION, name)])


async def listed(office: Office, name: str) -> bool:
    query = f"WorkflowType = 'HookUpkeep' AND {CONNECTION.name} = '{name}'"
    return any([True async for _ in office.temporal.list_workflows(query)])


async def test_without_a_worker_webhooks_come_later(
    office: Office, installed: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.set_up, "REPORT_SECONDS", 0.5)
    await connect(installed, "capsule")
    said = await connect(installed, "freshbooks")
    assert "Webhooks: not yet, perhaps because no worker runs; the worker will see to it." in said
    await office.temporal.get_workflow_handle(f"hook-upkeep/{installed.name}/connected").terminate()


async def test_without_a_public_address_sweeps_do_the_work(office: Office, installed: Firm) -> None:
    receiver = installed.settings.receiver.model_copy(update={"public_url": None})
    installed.settings = installed.settings.model_copy(update={"receiver": receiver})
    await connect(installed, "capsule")
    assert "Webhooks: none, because `receiver.public_url` is not set" in await connect(installed, "freshbooks")


async def test_connecting_again_ends_the_question_and_lets_everything_arrive(office: Office, installed: Firm) -> None:
    """F13: without a restart, and without anybody touching the hold."""
    await connect(installed, "capsule")
    await connect_without_hooks(installed)
    account = await installed.store.tokens.account(installed.name, "freshbooks")
    assert account is not None
    await installed.store.tokens.lose(account, "FreshBooks refused to refresh the access token (invalid_grant)")
    async with attended(office):
        party_id = await new_party(installed)
        await office.announce(party_id)
        assert "ledgerline connect freshbooks" in str(
            (await installed.store.holds.evidence((await one_hold(office)).workflow_id))["explanation"]
        )
        await connect(installed, "freshbooks")
        assert (await office.result(party_id)).outcome == "created"
        assert await waiting(office, "freshbooks").result() == "usable"
        await no_hold(office)
    assert await holds(office) == []


async def connect_without_hooks(firm: Firm) -> None:
    settings, receiver = firm.settings, firm.settings.receiver.model_copy(update={"public_url": None})
    firm.settings = settings.model_copy(update={"receiver": receiver})
    await connect(firm, "freshbooks")
    firm.settings = settings


async def new_party(firm: Firm) -> int:
    """Enter a party with the token that the stand-in has from the start: the settings hold none."""
    token = firm.sandbox.capsule_service.about()["tokens"]["access"]
    draft = {"party": {"type": "organisation", "name": "Acme Ltd"}}
    answer = await firm.http.post(f"{CAPSULE}/api/v2/parties", json=draft, headers={"Authorization": f"Bearer {token}"})
    return int(answer.raise_for_status().json()["party"]["id"])
