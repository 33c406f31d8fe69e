"""The receiver of one firm, and a firm on a real Temporal server."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from temporalio.client import Client

from starters.forwarding import Forwarder
from starters.plans import plan_workflow_id
from tests.sandboxes import CAPSULE, FRESHBOOKS, HOOKS, Firm
from tests.starters.doorway import Doorway, Heard
from tests.workflows.conftest import office
from tests.workflows.office import Office

__all__ = ["office"]


@pytest.fixture
def heard(firm: Firm) -> Heard:
    """Somebody who notes what is announced instead of telling Temporal."""
    return Heard(firm.store)


@pytest.fixture
async def doorway(firm: Firm, heard: Heard) -> AsyncIterator[Doorway]:
    """The receiver, reached by both sandboxes."""
    async with Doorway.open(firm, Forwarder(heard, firm.store)) as opened:
        yield opened


@pytest.fixture
def installed(temporal: Client, firm: Firm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the firm's settings and key as an operator does, and return the settings file."""
    capsule, freshbooks = firm.connection.crm_account, firm.connection.freshbooks
    monkeypatch.setenv("FIRM_CAPSULE", capsule.token.get_secret_value())
    monkeypatch.setenv("FIRM_FRESHBOOKS", freshbooks.token.get_secret_value())
    accounts = {
        "capsule": {"token": "env:FIRM_CAPSULE", "base_url": CAPSULE},
        "freshbooks": {
            "token": "env:FIRM_FRESHBOOKS",
            "base_url": FRESHBOOKS,
            "account_id": freshbooks.account_id,
        },
    }
    file = tmp_path / "ledgerline.yaml"
    content = {"data": str(tmp_path), "receiver": {"public_url": HOOKS}, "connections": {firm.name: accounts}}
    YAML().dump(content, file)
    key = tmp_path / "ledgerline.key"
    secret = base64.b64encode(bytes(range(32))).decode()
    key.write_text(f"payload-tests {secret}\nk1 {secret}\n")  # Temporal's payloads, and the firm's store
    key.chmod(0o600)
    monkeypatch.setenv("LEDGERLINE_CONFIG", str(file))
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.service_client.config.target_host)
    monkeypatch.setenv("COLUMNS", "250")
    return file


@pytest.fixture
async def ended(office: Office, firm: Firm) -> AsyncIterator[None]:
    """End the workflows of plans, which are kept for days."""
    yield
    for plan in await firm.store.plans.listed():
        await office.temporal.get_workflow_handle(plan_workflow_id(plan.id, firm.name)).terminate()
