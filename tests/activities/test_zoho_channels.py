"""The notification channels of Zoho CRM: registered, renewed before they end, and enabled anew once they have."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.crm_hooks import CrmHookActivities
from activities.models import ConnectionName
from activities.sweep_models import HookList, NewHook
from tests.sandboxes import HOOKS, Firm, sandbox_settings
from tests.zoho_firms import ACCOUNTS, CONTACTS, ZohoPeople
from worker.hook_readers import hook_readers

EVENTS = ["Contacts.all", "Accounts.all"]
WATCH = "/actions/watch"
WEEK = timedelta(days=7)


async def listed(firm: Firm) -> HookList:
    return await firm.run(CrmHookActivities.list_rest_hooks, ConnectionName(connection=firm.name))


async def register(firm: Firm, *events: str) -> None:
    for event in events or EVENTS:
        await firm.run(CrmHookActivities.create_rest_hook, NewHook(connection=firm.name, event=event))


def channels(firm: Firm) -> dict[str, dict[str, Any]]:
    """Return the channels that Zoho holds, by event; there is one for each."""
    held = firm.crm_service.records.all("channel")
    found = {event: each for each in held for event in each["events"]}
    assert len(found) == len(held)
    return found


def life_left(firm: Firm, event: str) -> timedelta:
    return datetime.fromisoformat(channels(firm)[event]["channel_expiry"]) - datetime.now(UTC)


def alter(firm: Firm, event: str, **changes: Any) -> None:
    """Change a channel behind our back."""
    channel = channels(firm)[event]
    firm.crm_service.records.commit("update", "channel", int(channel["id"]), {**channel, **changes})


def end_in(firm: Firm, event: str, left: timedelta) -> None:
    """Let a channel end so much later than now."""
    alter(firm, event, channel_expiry=(datetime.now(UTC) + left).isoformat(timespec="seconds"))


async def test_a_channel_for_each_module_lasts_almost_the_week_that_zoho_allows(zoho_firm: Firm) -> None:
    """Z29, F12."""
    assert await listed(zoho_firm) == HookList()
    await register(zoho_firm)
    assert await listed(zoho_firm) == HookList(events=EVENTS)
    assert sorted(channels(zoho_firm)) == sorted(EVENTS)
    for event in EVENTS:
        assert WEEK - timedelta(hours=2) < life_left(zoho_firm, event) < WEEK


async def test_channels_lead_to_a_path_that_nobody_can_guess_and_bring_a_token(zoho_firm: Firm) -> None:
    """Z130: Zoho signs nothing."""
    await register(zoho_firm)
    for each in channels(zoho_firm).values():
        start, _, secret = each["notify_url"].rpartition("/")
        assert (start, len(secret)) == (f"{HOOKS}/hooks/zoho_crm/{zoho_firm.name}", 64)
        assert len(each["token"]) == 48
        assert each["token"] not in each["notify_url"]
        assert each["return_affected_field_values"] is False  # names and addresses have no business in a hint


async def test_a_channel_that_ends_within_days_still_counts_and_is_renewed(zoho_firm: Firm) -> None:
    """F12."""
    await register(zoho_firm)
    end_in(zoho_firm, "Contacts.all", timedelta(days=3))
    assert await listed(zoho_firm) == HookList(events=EVENTS, expiring=["Contacts.all"])
    before = channels(zoho_firm)["Contacts.all"]
    await register(zoho_firm, "Contacts.all")
    after = channels(zoho_firm)["Contacts.all"]
    assert {**after, "channel_expiry": None} == {**before, "channel_expiry": None}
    assert (zoho_firm.calls("PUT", WATCH), zoho_firm.calls("POST", WATCH)) == (1, 2)
    assert await listed(zoho_firm) == HookList(events=EVENTS)


async def test_a_channel_in_the_first_half_of_its_week_is_left_alone(zoho_firm: Firm) -> None:
    await register(zoho_firm)
    end_in(zoho_firm, "Contacts.all", timedelta(days=4))
    assert (await listed(zoho_firm)).expiring == []


async def test_an_expired_channel_is_missing_and_enabled_anew(zoho_firm: Firm) -> None:
    """F12: Zoho says nothing when it stops."""
    await register(zoho_firm)
    end_in(zoho_firm, "Accounts.all", -timedelta(minutes=1))
    assert await listed(zoho_firm) == HookList(events=["Contacts.all"])
    await register(zoho_firm, "Accounts.all")
    assert zoho_firm.calls("PUT", WATCH) == 0
    assert await listed(zoho_firm) == HookList(events=EVENTS)
    assert life_left(zoho_firm, "Accounts.all") > WEEK - timedelta(hours=2)


async def test_a_channel_that_is_still_listed_although_it_has_ended_is_missing(zoho_firm: Firm) -> None:
    """F12, F32: by our clock; Zoho's is ten minutes slow, and renews what it takes for alive."""
    await register(zoho_firm)
    zoho_firm.crm_service.settings.clock_skew = -600
    end_in(zoho_firm, "Accounts.all", -timedelta(minutes=1))
    assert await listed(zoho_firm) == HookList(events=["Contacts.all"])
    await register(zoho_firm, "Accounts.all")
    assert zoho_firm.calls("PUT", WATCH) == 1
    assert await listed(zoho_firm) == HookList(events=EVENTS)


async def test_a_channel_that_zoho_does_not_renew_is_enabled_anew(zoho_firm: Firm) -> None:
    """F12: it may end between the look and the renewal."""
    await register(zoho_firm)
    end_in(zoho_firm, "Contacts.all", timedelta(days=1))
    zoho_firm.crm_fault(method="PUT", path=f"{WATCH}$", fault="status", status=404)
    await register(zoho_firm, "Contacts.all")
    assert await listed(zoho_firm) == HookList(events=EVENTS)


async def test_a_lost_answer_to_a_registration_leaves_one_channel(zoho_firm: Firm) -> None:
    """F6."""
    zoho_firm.crm_fault(method="POST", path=f"{WATCH}$", fault="commit_then_cut", times=1)
    with pytest.raises(ApplicationError):
        await register(zoho_firm, "Contacts.all")
    await register(zoho_firm, "Contacts.all")
    assert list(channels(zoho_firm)) == ["Contacts.all"]


async def test_after_a_restart_the_same_channels_are_renewed(zoho_firm: Firm) -> None:
    """Else every start would leave channels behind that tell everything twice."""
    await register(zoho_firm)
    numbers = {event: each["channel_id"] for event, each in channels(zoho_firm).items()}
    zoho_firm.__post_init__()
    await register(zoho_firm)
    assert {event: each["channel_id"] for event, each in channels(zoho_firm).items()} == numbers


async def test_a_channel_that_leads_elsewhere_is_not_taken_for_ours(zoho_firm: Firm) -> None:
    await register(zoho_firm)
    alter(zoho_firm, "Contacts.all", notify_url="https://elsewhere.test/hook")
    assert (await listed(zoho_firm)).events == ["Accounts.all"]
    await register(zoho_firm, "Contacts.all")
    assert (await listed(zoho_firm)).events == EVENTS


async def test_the_channel_of_another_program_is_not_taken_for_ours_and_stays(zoho_firm: Firm) -> None:
    api, until = ZohoPeople(zoho_firm).api, datetime.now(UTC) + timedelta(days=1)
    await api.enable_channel("4711", events=["Contacts.all"], notify_url=f"{HOOKS}/x", token="theirs", until=until)
    assert await listed(zoho_firm) == HookList()
    await register(zoho_firm)
    held = zoho_firm.crm_service.records.all("channel")
    assert sorted(each["token"] == "theirs" for each in held) == [False, False, True]


async def test_a_token_without_the_right_has_no_channels_and_that_is_no_error(zoho_firm: Firm) -> None:
    """Z130: sweeps do the work then."""
    account = zoho_firm.connection.crm_account.model_dump()
    read_only = zoho_firm.sandbox.zoho_crm_service.about()["tokens"]["read_only"]
    zoho_firm.settings = sandbox_settings(
        zoho_firm.name,
        zoho_firm.sandbox,
        zoho_firm.settings.data,
        crm="zoho_crm",
        zoho_crm=account | {"token": read_only},
    )
    zoho_firm.__post_init__()
    assert await listed(zoho_firm) == HookList(allowed=False)


@pytest.mark.parametrize(
    ("module", "entered"), [(CONTACTS, {"Last_Name": "Okafor"}), (ACCOUNTS, {"Account_Name": "Ltd"})]
)
async def test_what_a_channel_delivers_is_believed_by_the_receiver(
    zoho_firm: Firm, module: str, entered: dict[str, str]
) -> None:
    """Z29: as registered, so delivered and read."""
    await register(zoho_firm)
    record_id = await ZohoPeople(zoho_firm).enter(module, **entered)
    await zoho_firm.sandbox.settle()
    (sent,) = zoho_firm.crm_service.courier.deliveries
    reader = hook_readers(zoho_firm.settings, zoho_firm.store)["zoho_crm", zoho_firm.name]
    delivery = await reader.read({}, sent.parcel.content)
    assert (delivery.event, delivery.record_ids) == (f"{module}.insert", (str(record_id),))
