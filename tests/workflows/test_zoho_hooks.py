"""Zoho's channels end after a week: they are renewed in time, and what went unheard is swept."""

from datetime import datetime, timedelta
from typing import Any

from activities.crm_hooks import CrmHookActivities
from activities.sweep_models import NewHook
from tests.activities.test_zoho_channels import channels, end_in, life_left
from tests.sandboxes import Firm, sandbox_settings
from tests.workflows.office import Office, until
from tests.workflows.test_checks import checked, found
from tests.workflows.test_hooks import kept_up, scheduled, swept, verify_callback
from tests.workflows.test_zoho_pair import ADA, office, people
from tests.zoho_firms import CONTACTS, REFERENCE, ZohoPeople
from workflows.hooks import CLIENT_EVENTS, PARTY_EVENTS
from workflows.models import HookReport

__all__ = ["office", "people"]

EVENTS = PARTY_EVENTS["zoho_crm"]
ALL_EVENTS = [*EVENTS, *CLIENT_EVENTS]


async def swept_after(firm: Firm, before: datetime) -> None:
    """Wait until a sweep of Zoho that began later has come to its end."""

    async def ended() -> bool:
        cursor = await firm.store.cursors.read(firm.name, "zoho_crm.parties")
        return cursor is not None and cursor > before

    await until(ended)


async def test_a_new_connection_gets_a_channel_for_each_module(office: Office, zoho_firm: Firm) -> None:
    """S1, Z29."""
    async with office.working():
        assert await kept_up(office) == HookReport(created=ALL_EVENTS)
        assert await kept_up(office) == HookReport(kept=ALL_EVENTS)
    assert sorted(channels(zoho_firm)) == sorted(EVENTS)


async def test_a_channel_that_ends_soon_is_renewed_and_nothing_is_swept(office: Office, zoho_firm: Firm) -> None:
    """F12, Z140: it was heard all the time."""
    async with office.working(), scheduled(office):
        await kept_up(office)
        await verify_callback(office)
        end_in(zoho_firm, "Contacts.all", timedelta(days=1))
        assert await kept_up(office) == HookReport(kept=ALL_EVENTS, renewed=["Contacts.all"])
        assert await kept_up(office) == HookReport(kept=ALL_EVENTS)
    assert life_left(zoho_firm, "Contacts.all") > timedelta(days=6)


async def test_what_changed_while_a_channel_had_ended_is_swept_at_once(
    office: Office, zoho_firm: Firm, people: ZohoPeople
) -> None:
    """F12, F15: say the worker was off for a fortnight."""
    async with office.working(), scheduled(office):
        await kept_up(office)
        await verify_callback(office)
        before = await swept(zoho_firm, "zoho_crm.parties")
        for event in EVENTS:
            end_in(zoho_firm, event, -timedelta(minutes=1))
        contact = await people.enter(CONTACTS, **ADA)
        swept_at_once = [f"party-sweep/{zoho_firm.name}"]
        report = HookReport(created=list(EVENTS), kept=list(CLIENT_EVENTS), caught_up=swept_at_once)
        assert await kept_up(office) == report
        await swept_after(zoho_firm, before)
    assert [each.party_id for each in zoho_firm.announced] == [contact]


async def test_where_zoho_allows_no_channels_the_callbacks_are_kept_up_all_the_same(
    office: Office, zoho_firm: Firm
) -> None:
    use(zoho_firm, token=zoho_firm.sandbox.zoho_crm_service.about()["tokens"]["read_only"])
    async with office.working():
        assert await kept_up(office) == HookReport(created=list(CLIENT_EVENTS), not_allowed=["zoho_crm"])


def use(firm: Firm, **changes: Any) -> None:
    """Work with other settings of the Zoho account from now on."""
    account = firm.connection.crm_account.model_dump() | changes
    clients = firm.connection.clients.model_dump()
    more = {"zoho_crm": account, "clients": clients}
    firm.settings = sandbox_settings(firm.name, firm.sandbox, firm.settings.data, crm="zoho_crm", **more)
    firm.__post_init__()


async def test_the_doctor_finds_a_zoho_connection_well(office: Office, zoho_firm: Firm) -> None:
    """Z20, Z36."""
    async with office.working():
        for event in EVENTS:
            await zoho_firm.run(CrmHookActivities.create_rest_hook, NewHook(connection=zoho_firm.name, event=event))
        report = await checked(office)
    assert report.failed == []
    for part in ("account 600012345", "mapping: fits", "clients.reference_field: “Contacts.", "webhooks: Contacts.all"):
        assert found(report.passed, f"zoho_crm: {part}"), part
    assert not found(report.notes, "Capsule")


async def test_the_doctor_names_what_a_zoho_connection_lacks(office: Office, zoho_firm: Firm) -> None:
    """F12, Z20."""
    fields = zoho_firm.crm_service.records
    for each in fields.all("field"):
        if (each["module"], each["label"]) == ("Accounts", REFERENCE):
            fields.commit("update", "field", each["number"], {**each, "unique": ""})
    async with office.working():
        report = await checked(office)
    assert found(report.failed, "zoho_crm: clients.reference_field: “Accounts.Ledgerline_Reference” is not unique")
    assert found(report.warnings, "zoho_crm: webhooks: Contacts.all, Accounts.all not registered")
