"""What one connection needs to work is wired once, and a mistake in its settings is said before any work begins."""

from datetime import timedelta

import pytest

from activities.models import PartySide
from runtime.load import WrongSettings
from starters.wanted_schedules import wanted_schedules
from tests.sandboxes import HOOKS, Firm, sandbox_settings
from worker.accounts import Wiring, account_queues, clients_template
from worker.hook_readers import hook_readers, hook_secrets, hook_url
from worker.write_once import write_once


async def nobody(connection: str, party_id: int, cause: str, priority: int, side: PartySide | None = None) -> None:
    raise AssertionError("nothing is announced here")


async def nobody_else(connection: str, client_id: str, cause: str, priority: int) -> None:
    raise AssertionError("nothing is announced here")


def test_each_account_has_a_queue_of_its_own_with_the_accounts_quota(firm: Firm) -> None:
    """S61: 4,000 requests an hour are a little more than one a second."""
    capsule = {**firm.connection.crm_account.model_dump(), "requests_per_hour": 4000}
    settings = sandbox_settings(firm.name, firm.sandbox, firm.settings.data, capsule=capsule)
    queues = account_queues(firm.name, Wiring(settings, firm.http, firm.store, nobody, nobody_else))
    assert [each.name for each in queues] == [f"capsule@{firm.name}", f"freshbooks@{firm.name}"]
    assert queues[0].calls_per_second == pytest.approx(1.11, abs=0.01)


def test_no_activity_runs_on_the_queues_of_both_accounts(firm: Firm) -> None:
    capsule, freshbooks = ({each.__name__ for each in queue.activities} for queue in firm.queues)
    assert not capsule & freshbooks


def test_a_mapping_for_a_field_that_no_client_has_is_a_mistake_with_its_place(firm: Firm) -> None:
    """Z144, S15."""
    clients = {"mapping": {"fnam": {"owner": "books"}}}
    settings = sandbox_settings(firm.name, firm.sandbox, firm.settings.data, clients=clients)
    with pytest.raises(WrongSettings, match=rf"connections\.{firm.name}\.clients\.mapping\.fnam: .*fname"):
        clients_template(firm.name, settings.connections[firm.name])


def test_an_own_mapping_has_a_version_of_its_own(firm: Firm) -> None:
    """F39: what was synced by the other version is looked at again."""
    clients = {"mapping": {"fax": None}}
    settings = sandbox_settings(firm.name, firm.sandbox, firm.settings.data, clients=clients)
    own = clients_template(firm.name, settings.connections[firm.name])
    assert own.version != clients_template(firm.name, firm.connection).version
    assert "fax" not in own.rules


def test_a_default_currency_that_does_not_exist_is_a_mistake_with_its_place(firm: Firm) -> None:
    """S54."""
    clients = {"default_currency": "XQQ"}
    settings = sandbox_settings(firm.name, firm.sandbox, firm.settings.data, clients=clients)
    with pytest.raises(WrongSettings, match=rf"connections\.{firm.name}\.clients"):
        account_queues(firm.name, Wiring(settings, firm.http, firm.store, nobody, nobody_else))


async def test_a_lost_create_settles_within_the_settings_time_until_more_is_known(firm: Firm) -> None:
    """F1."""
    once = write_once(firm.connection, firm.store, "freshbooks")
    assert await once.settle_time(firm.name) == timedelta(seconds=1)


def test_webhooks_lead_to_the_public_address_by_a_secret_path(firm: Firm) -> None:
    secret = hook_secrets(firm.store.keys, "capsule", firm.name)[0]
    assert hook_url(firm.settings, firm.store.keys, "capsule", firm.name) == (
        f"{HOOKS}/hooks/capsule/{firm.name}/{secret}"
    )


def test_without_a_public_address_there_is_nothing_to_register(firm: Firm) -> None:
    receiver = firm.settings.receiver.model_copy(update={"public_url": None})
    unreachable = firm.settings.model_copy(update={"receiver": receiver})
    assert hook_url(unreachable, firm.store.keys, "capsule", firm.name) is None
    assert all(not each.id.startswith("hook-upkeep") for each in wanted_schedules(unreachable))


def test_every_account_of_every_connection_has_a_reader(firm: Firm) -> None:
    assert set(hook_readers(firm.settings, firm.store)) == {("capsule", firm.name), ("freshbooks", firm.name)}


def test_two_connections_never_share_a_secret(firm: Firm) -> None:
    secrets = {
        hook_secrets(firm.store.keys, system, name)[0]
        for system in ("capsule", "freshbooks")
        for name in (firm.name, "other")
    }
    assert len(secrets) == 4


def test_where_nothing_is_to_go_back_no_field_goes_both_ways(firm: Firm) -> None:
    """S45."""
    assert not clients_template("acme", firm.connection).is_two_way
