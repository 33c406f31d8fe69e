"""What the doctor asks the worker: who we are, what we may, whether clocks agree and the mapping fits."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from temporalio.testing import ActivityEnvironment

from activities.check_rules import (
    CustomField,
    Pace,
    judge_clock,
    judge_fields,
    judge_fixed_token,
    judge_quota,
    judge_reference_field,
    judge_token,
)
from activities.checks import FreshBooksCheckActivities, TokenCheckActivities
from activities.crm_checks import CrmCheckActivities
from activities.models import ConnectionName
from activities.sweep_models import Identity
from activities.watch_models import AccountName, Finding
from connectors import capsule
from connectors.freshbooks import PROVIDER
from connectors.service_state import ServiceState
from mapping.engine import Template, load_template
from store.store import Store
from store.tokens import Grant
from tests.sandboxes import Firm
from worker.tokens import accesses

NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
PACE = Pace(4000, "an hour", "capsule.requests_per_hour")
SHIPPED = load_template("capsule-freshbooks/clients").one_way()
NEEDED = "user:profile:read user:clients:read user:clients:write"


def field(number: int, name: str, kind: str = "text", flaw: str | None = None) -> CustomField:
    return CustomField(number, name, kind, flaw)


ALL_FIELDS = [field(1, "Currency", "list"), field(2, "Language"), field(3, "VAT number")]


def mapped(**overrides: Any) -> Template:
    return SHIPPED.with_overrides(overrides)


def levels(findings: list[Finding]) -> list[str]:
    return [each.level for each in findings]


def grant(scope: str = NEEDED, life: timedelta = timedelta(hours=11)) -> Grant:
    now = datetime.now(UTC)
    return Grant(SecretStr("access"), SecretStr("refresh"), scope, now, now + life)


async def token_findings(store: Store, scope: str = NEEDED, life: timedelta = timedelta(hours=11)) -> list[Finding]:
    """Return what is said of a FreshBooks account that was connected with this scope."""
    await store.tokens.consented("acme", "freshbooks", grant(scope, life), "aB3xYz")
    account, granted = await store.tokens.read("acme", "freshbooks")
    return judge_token(PROVIDER, "acme", account, granted)


async def test_the_check_names_the_accounts_behind_the_tokens(firm: Firm) -> None:
    """Z20."""
    asked = ConnectionName(connection=firm.name)
    assert await firm.run(CrmCheckActivities.identify_crm, asked) == Identity(text="account sandbox")
    found = await firm.run(FreshBooksCheckActivities.identify_freshbooks, asked)
    assert found == Identity(text=f"account {firm.connection.freshbooks.account_id}")


async def test_the_check_notices_another_account_behind_the_token(firm: Firm) -> None:
    """Z20: writing into the wrong books would be worse than not writing."""
    checks = FreshBooksCheckActivities(firm.freshbooks_api(), "zzz999", PACE)
    found = await ActivityEnvironment().run(checks.identify_freshbooks, ConnectionName(connection=firm.name))
    assert not found.ok
    assert "zzz999 is not among the token's accounts: sBx7Qz" in found.text


async def test_both_systems_say_what_is_left_of_their_quotas(firm: Firm) -> None:
    """S61, F33."""
    asked = ConnectionName(connection=firm.name)
    for examine in (CrmCheckActivities.examine_crm, FreshBooksCheckActivities.examine_freshbooks):
        quota, _ = (await firm.run(examine, asked)).findings
        assert (quota.level, "are left" in quota.text) == ("ok", True)


@pytest.mark.parametrize(
    ("ours", "level"),
    [
        (NOON, "ok"),
        (NOON + timedelta(seconds=29), "ok"),
        (NOON + timedelta(seconds=45), "warning"),
        (NOON - timedelta(seconds=45), "warning"),
        (NOON + timedelta(minutes=6), "wrong"),
        (NOON - timedelta(minutes=6), "wrong"),
    ],
)
def test_a_clock_that_is_wrong_is_said_to_be(ours: datetime, level: str) -> None:
    """F32: cursors are set by our clock."""
    assert judge_clock(ServiceState(NOON, None, None), ours, ours).level == level


def test_it_is_said_on_which_side_of_the_truth_our_clock_is() -> None:
    behind, ahead = NOON - timedelta(minutes=6), NOON + timedelta(minutes=6)
    assert "ours is 6 minutes behind" in judge_clock(ServiceState(NOON, None, None), behind, behind).text
    assert "ours is 5 minutes ahead" in judge_clock(ServiceState(NOON, None, None), ahead, ahead).text


def test_a_slow_answer_is_no_wrong_clock() -> None:
    asked, answered = NOON - timedelta(seconds=40), NOON + timedelta(seconds=5)
    assert judge_clock(ServiceState(NOON, None, None), asked, answered).level == "ok"


def test_a_system_that_tells_no_time_cannot_be_compared() -> None:
    assert judge_clock(ServiceState(None, None, None), NOON, NOON).level == "note"


@pytest.mark.parametrize(
    ("limit", "remaining", "level"),
    [(4000, 3900, "ok"), (4000, None, "ok"), (2000, 1900, "warning"), (4000, 300, "warning"), (None, None, "note")],
    ids=["as agreed", "what is left is not said", "less than we use", "nearly used up", "nothing said"],
)
def test_the_pace_is_compared_with_what_is_granted(limit: int | None, remaining: int | None, level: str) -> None:
    """S61."""
    assert judge_quota(ServiceState(NOON, limit, remaining), PACE).level == level


def test_a_pace_above_the_quota_names_the_setting_and_the_number() -> None:
    text = judge_quota(ServiceState(NOON, 2000, 1900), PACE).text
    assert "capsule.requests_per_hour uses 4,000 an hour: set it to 2,000 at most" in text


def test_a_mapping_whose_custom_fields_all_exist_fits() -> None:
    """S64, Z36."""
    (found,) = judge_fields("Capsule", SHIPPED, SHIPPED, ALL_FIELDS)
    assert (found.level, SHIPPED.version in found.text) == ("ok", True)


def test_fields_that_only_the_shipped_mapping_names_need_not_exist() -> None:
    fits, missing = judge_fields("Capsule", SHIPPED, SHIPPED, [])
    assert (fits.level, missing.level) == ("ok", "note")
    assert "no custom field “Currency”, “Language”, “VAT number”" in missing.text


def test_a_field_that_the_firm_itself_maps_has_to_exist() -> None:
    """S15, Z36: a misspelt field would silently empty the client's."""
    template = mapped(company_industry={"from": "fields[Indutsry]", "owner": "crm", "direction": "to-books"})
    (found,) = judge_fields("Capsule", template, SHIPPED, [*ALL_FIELDS, field(4, "Industry")])
    assert found.level == "wrong"
    assert "company_industry is taken from the custom field “Indutsry”, and parties have no such field" in found.text
    assert "“Industry”" in found.text


def test_a_field_may_be_named_by_its_number() -> None:
    template = mapped(company_industry={"from": "fields[4]", "owner": "crm", "direction": "to-books"})
    assert levels(judge_fields("Capsule", template, SHIPPED, [*ALL_FIELDS, field(4, "Industry")])) == ["ok"]


def test_two_fields_of_one_name_have_to_be_told_apart() -> None:
    (found,) = judge_fields("Capsule", SHIPPED, SHIPPED, [*ALL_FIELDS, field(9, "vat number")])
    assert (found.level, "write fields[3] or fields[9]" in found.text) == ("warning", True)


def test_a_checkbox_where_text_is_expected_does_not_fit() -> None:
    """S64."""
    (found,) = judge_fields("Capsule", SHIPPED, SHIPPED, [*ALL_FIELDS[:2], field(3, "VAT number", "boolean")])
    assert found.level == "wrong"
    assert (
        "vat_number is taken from “VAT number”, a checkbox, where text is expected: put a `table` first" in found.text
    )


def test_a_checkbox_that_goes_through_a_table_fits() -> None:
    table = {"table": {"choices": {"yes": "taxed", "no": "free"}}}
    template = mapped(vat_number={"transforms": [table]})
    assert levels(judge_fields("Capsule", template, SHIPPED, [*ALL_FIELDS[:2], field(3, "VAT number", "boolean")])) == [
        "ok"
    ]


def test_text_where_yes_or_no_is_expected_does_not_fit() -> None:
    template = mapped(allow_late_fees={"from": "fields[Late fees]", "owner": "crm", "direction": "to-books"})
    (found,) = judge_fields("Capsule", template, SHIPPED, [*ALL_FIELDS, field(4, "Late fees")])
    assert (found.level, "put `yes_no` among its transforms" in found.text) == ("wrong", True)


@pytest.mark.parametrize(
    ("definitions", "level"),
    [
        ([field(7, "Ledgerline reference")], "ok"),
        ([], "wrong"),
        ([field(7, "Ledgerline reference", "number")], "wrong"),
        ([field(7, "Ledgerline reference", flaw="is only for people")], "wrong"),
    ],
    ids=["a text field", "none", "a number", "only for people"],
)
def test_the_field_of_our_reference_has_to_hold_text_on_every_party(definitions: list[CustomField], level: str) -> None:
    """F1: what we create is found again by it."""
    assert judge_reference_field(capsule.PROVIDER, ["Ledgerline reference"], definitions).level == level


async def test_the_reference_field_is_looked_for_where_parties_are_created(two_way_firm: Firm, firm: Firm) -> None:
    asked = ConnectionName(connection="any")
    both_ways = (await two_way_firm.run(CrmCheckActivities.examine_custom_fields, asked)).findings
    one_way = (await firm.run(CrmCheckActivities.examine_custom_fields, asked)).findings
    assert [each.level for each in both_ways if "reference_field" in each.text] == ["ok"]
    assert [each for each in one_way if "reference_field" in each.text] == []


async def test_a_token_with_just_what_we_use_is_well(sqlite_store: Store) -> None:
    """Z130."""
    life, scopes = await token_findings(sqlite_store)
    assert (life.level, scopes.level) == ("ok", "ok")
    assert "good for another 10 hours" in life.text


async def test_a_token_that_may_more_than_we_use_is_a_warning(sqlite_store: Store) -> None:
    """Z130: least privilege."""
    _, scopes = await token_findings(sqlite_store, f"{NEEDED} user:invoices:write")
    assert (scopes.level, "more is granted than we use (user:invoices:write)" in scopes.text) == ("warning", True)


async def test_a_token_that_may_too_little_is_wrong_with_what_will_fail(sqlite_store: Store) -> None:
    """Z130."""
    _, scopes = await token_findings(sqlite_store, "user:profile:read user:clients:read")
    assert scopes.level == "wrong"
    assert "user:clients:write is not granted, so this fails: creating and changing clients" in scopes.text
    assert "run `ledgerline connect freshbooks --connection acme`" in scopes.text


async def test_a_token_that_ended_unrenewed_is_a_warning(sqlite_store: Store) -> None:
    life, _ = await token_findings(sqlite_store, life=timedelta(minutes=-1))
    assert life.level == "warning"


def test_an_account_that_nobody_connected_is_wrong() -> None:
    """S11."""
    (found,) = judge_token(PROVIDER, "acme", None, None)
    assert (found.level, "not connected yet; run `ledgerline connect freshbooks" in found.text) == ("wrong", True)


async def test_an_account_that_waits_for_consent_says_why(sqlite_store: Store) -> None:
    """F9."""
    await sqlite_store.tokens.consented("acme", "freshbooks", grant(), "aB3xYz")
    account = await sqlite_store.tokens.account("acme", "freshbooks")
    assert account is not None
    await sqlite_store.tokens.lose(account, "FreshBooks says that consent was taken back")
    refused, granted = await sqlite_store.tokens.read("acme", "freshbooks")
    (found,) = judge_token(PROVIDER, "acme", refused, granted)
    assert found.level == "wrong"
    assert "token: FreshBooks says that consent was taken back; run `ledgerline connect" in found.text


async def test_of_a_token_in_the_settings_little_is_known_until_it_is_refused(sqlite_store: Store) -> None:
    assert judge_fixed_token(None).level == "note"
    await sqlite_store.tokens.refuse("acme", "capsule", "Capsule does not accept the token", "secret")
    account = await sqlite_store.tokens.account("acme", "capsule")
    assert judge_fixed_token(account).text == "token: Capsule does not accept the token"


async def test_an_account_without_a_usable_token_is_not_asked_anything(firm: Firm) -> None:
    """Its worker rests, so nobody would answer."""
    checks = TokenCheckActivities(firm.store, accesses(firm.settings))
    asked = AccountName(connection=firm.name, system="capsule")
    assert (await ActivityEnvironment().run(checks.examine_token, asked)).usable
    await firm.store.tokens.refuse(firm.name, "capsule", "Capsule does not accept the token", "secret")
    assert not (await ActivityEnvironment().run(checks.examine_token, asked)).usable
