"""What the doctor asks a connection's Zoho CRM: who we are, what is left, and whether our field is as it has to be."""

from datetime import UTC, datetime
from typing import Any

import pytest

from activities.check_rules import Pace, judge_quota
from activities.crm_checks import CrmCheckActivities
from activities.models import ConnectionName
from activities.sweep_models import Identity
from activities.watch_models import Finding
from connectors.service_state import ServiceState
from sandbox.settings import ZohoCrmSettings
from tests.sandboxes import Firm

NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
ZOHO_PACE = Pace(60, "a minute", "zoho_crm.requests_per_minute")


async def zoho_findings(firm: Firm, part: str) -> list[Finding]:
    """Return what is said of the custom fields of a Zoho account, as far as it is about one thing."""
    found = await firm.run(CrmCheckActivities.examine_custom_fields, ConnectionName(connection=firm.name))
    return [each for each in found.findings if part in each.text]


def change_our_field(firm: Firm, module: str, **changes: Any) -> None:
    """Change the field of our reference in one module; without changes take it away."""
    records = firm.crm_service.records
    (held,) = [each for each in records.all("field") if each["module"] == module]
    if changes:
        records.commit("update", "field", held["number"], {**held, **changes})
    else:
        records.commit("delete", "field", held["number"], held)


async def test_the_check_names_the_organisation_behind_a_token_of_zohos(zoho_firm: Firm) -> None:
    """Z20: by its number; its name stays there."""
    asked = ConnectionName(connection=zoho_firm.name)
    assert await zoho_firm.run(CrmCheckActivities.identify_crm, asked) == Identity(text="account 600012345")


async def test_zoho_says_what_is_left_of_its_credits_once_half_are_used(zoho_firm: Firm) -> None:
    """S61: before that it says nothing, and never how many there are."""
    asked, knobs = ConnectionName(connection=zoho_firm.name), zoho_firm.sandbox.zoho_crm_service.settings
    quota, clock = (await zoho_firm.run(CrmCheckActivities.examine_crm, asked)).findings
    assert (quota.level, "the answer does not say it" in quota.text) == ("note", True)
    assert "zoho_crm.requests_per_minute uses 60,000 a minute" in quota.text
    assert clock.text.startswith("clock: ")
    assert isinstance(knobs, ZohoCrmSettings)
    knobs.credits = 6
    quota, _ = (await zoho_firm.run(CrmCheckActivities.examine_crm, asked)).findings
    assert (quota.level, quota.text.startswith("quota: only ")) == ("warning", True)


@pytest.mark.parametrize(
    ("left", "level", "said"),
    [
        (None, "note", "does not say it"),
        (25_000, "note", "quota: 25,000 are left"),
        (3_599, "warning", "only 3,599 are"),
    ],
)
def test_a_quota_of_unknown_size_is_compared_with_an_hour_of_our_pace(left: int | None, level: str, said: str) -> None:
    """S61."""
    found = judge_quota(ServiceState(NOON, None, left), ZOHO_PACE)
    assert (found.level, said in found.text) == (level, True)


async def test_the_shipped_mapping_fits_a_new_zoho_account(zoho_firm: Firm) -> None:
    """Z36: fields that every account has need not be made."""
    fits, missing = await zoho_findings(zoho_firm, "mapping:")
    assert (fits.level, missing.level) == ("ok", "note")
    assert (
        "Zoho CRM has no custom field “Contacts.Language”, “Accounts.Language”, “Contacts.VAT_Number”" in missing.text
    )


async def test_a_zoho_field_that_the_firm_maps_has_to_exist(zoho_firm: Firm) -> None:
    """S15, Z36: the nearest names come first, of hundreds."""
    rule = {"from": "Contacts.Mailing_Strete", "owner": "crm", "direction": "to-books"}
    zoho_firm.use_clients(mapping={"company_industry": rule})
    (found,) = [each for each in await zoho_findings(zoho_firm, "mapping:") if each.level == "wrong"]
    assert "company_industry is taken from the custom field “Contacts.Mailing_Strete”" in found.text
    assert "They have: “Contacts.Mailing_Street”, " in found.text


async def test_our_field_is_looked_for_in_both_modules_of_zoho(zoho_firm: Firm) -> None:
    """F1, Z35."""
    (found,) = await zoho_findings(zoho_firm, "reference_field")
    named = "“Contacts.Ledgerline_Reference”, “Accounts.Ledgerline_Reference”"
    assert found == Finding(level="ok", text=f"clients.reference_field: {named} carries our reference")


@pytest.mark.parametrize("module", ["Contacts", "Accounts"])
async def test_a_module_of_zoho_without_our_field_is_wrong_and_says_what_to_do(zoho_firm: Firm, module: str) -> None:
    """F1."""
    change_our_field(zoho_firm, module)
    (found,) = await zoho_findings(zoho_firm, "reference_field")
    assert found.level == "wrong"
    assert f"there is no custom field “{module}.Ledgerline_Reference”" in found.text
    assert "run `ledgerline connect zoho_crm`" in found.text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"unique": ""}, "is not unique, so a repeated create could double a record; mark it as unique"),
        ({"data_type": "integer"}, "is of the type integer, not text"),
    ],
    ids=["not unique", "a number"],
)
async def test_our_field_in_zoho_has_to_be_unique_text(zoho_firm: Firm, changes: dict[str, Any], said: str) -> None:
    """F1, Z35: its uniqueness is what keeps a repeated create from doubling a record."""
    change_our_field(zoho_firm, "Accounts", **changes)
    (found,) = await zoho_findings(zoho_firm, "reference_field")
    assert (found.level, f"“Accounts.Ledgerline_Reference” {said}" in found.text) == ("wrong", True)
