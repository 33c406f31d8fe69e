"""What the doctor says of pipelines, of fields that show an invoice, and of owners whom FreshBooks does not know."""

import pytest

from activities.check_rules import judge_scopes
from activities.document_sides import Staff
from activities.models import ConnectionName
from activities.opportunity_check_rules import (
    OpportunityNames,
    Owner,
    judge_invoice_fields,
    judge_milestones,
    judge_owners,
)
from activities.opportunity_checks import (
    DocumentCheckActivities,
    OpportunityCheckActivities,
    OwnersAsked,
)
from activities.opportunity_crm import Milestone
from connectors import capsule, freshbooks
from tests.pipelines import OpenPipeline, Pipeline
from worker.tokens import accesses

SALES = [
    Milestone("New", "Sales", "open", 10),
    Milestone("Proposal", "Sales", "open", 50),
    Milestone("Won", "Sales", "won", 100),
    Milestone("Agreed", "Consulting", "won", 100),
]
ANN, BOB = Owner(id="61", email="Ann@agency.test"), Owner(id="62", email="bob@agency.test")
STAFF = Staff({5: "ann@agency.test", 6: "finance@agency.test"})


def test_milestones_that_all_exist_are_well() -> None:
    names = OpportunityNames(("Sales / Proposal",), ("won",))
    assert judge_milestones(names, SALES)[0].level == "ok"


def test_a_milestone_that_nobody_has_is_wrong_and_the_nearest_are_named() -> None:
    """S28: a misspelt name would mean that no estimate is ever made, without a word."""
    (found, *_) = judge_milestones(OpportunityNames(("Propsal",)), SALES)
    assert found.level == "wrong"
    assert "opportunities.estimate_from names “Propsal”" in found.text
    assert found.text.split("There are: ")[1].startswith("“Sales / Proposal”")


def test_a_pipeline_without_estimates_is_noted() -> None:
    _, found = judge_milestones(OpportunityNames(("Proposal",)), SALES)
    assert (found.level, "“Consulting” has no milestone of estimate_from" in found.text) == ("note", True)


def test_a_field_that_should_show_the_invoice_and_is_missing_is_wrong() -> None:
    """S38: with what to do."""
    names = OpportunityNames(invoice_fields={"number": "Invoice", "status": "Invoice status"})
    (found,) = judge_invoice_fields(capsule.PROVIDER, names, ["Invoice"])
    assert found.level == "wrong"
    assert "opportunities.invoice_fields.status: opportunities have no custom field “Invoice status”" in found.text
    assert "or run `ledgerline connect capsule`" in found.text
    assert judge_invoice_fields(capsule.PROVIDER, names, ["Invoice", "Invoice status"])[0].level == "ok"
    assert judge_invoice_fields(capsule.PROVIDER, OpportunityNames(), []) == []


def test_owners_are_known_by_their_address_whatever_its_case() -> None:
    found = judge_owners("Capsule", [ANN], STAFF, "")
    assert (found.level, found.text) == (
        "ok",
        "owners: all 1 users of Capsule are staff of FreshBooks, by email address",
    )


def test_owners_whom_freshbooks_does_not_know_are_listed_with_who_stands_in() -> None:
    found = judge_owners("Capsule", [ANN, BOB, Owner(id="63")], STAFF, "Finance@agency.test")
    assert found.level == "note"
    assert "2 of 3 users of Capsule are not staff of FreshBooks" in found.text
    assert "user 62 (bob@agency.test), user 63 (no email address)" in found.text
    assert "belong to opportunities.default_owner, staff 6" in found.text


def test_without_anybody_who_stands_in_it_is_a_warning() -> None:
    found = judge_owners("Capsule", [ANN, BOB], STAFF, "")
    assert (found.level, "set opportunities.default_owner" in found.text) == ("warning", True)


def test_a_default_owner_who_is_no_staff_is_wrong_even_if_nobody_needs_one() -> None:
    found = judge_owners("Capsule", [ANN], STAFF, "gone@agency.test")
    assert found.level == "wrong"
    assert "opportunities.default_owner is no member of FreshBooks' staff" in found.text


def test_of_many_strangers_the_first_are_named() -> None:
    found = judge_owners("Capsule", [Owner(id=str(number)) for number in range(12)], STAFF, "")
    assert "12 of 12 users" in found.text
    assert found.text.count("no email address") == 10
    assert " and 2 more;" in found.text


def test_a_right_on_documents_that_was_not_granted_is_named_with_what_fails() -> None:
    """Z20, S51: the account was connected before opportunities were synced."""

    clients_alone = "user:profile:read user:clients:read user:clients:write"
    assert [each.level for each in judge_scopes(freshbooks.provider(), clients_alone, "connect again")] == ["ok"]
    missing = judge_scopes(freshbooks.provider(documents=True), clients_alone, "connect again")
    assert {each.level for each in missing} == {"wrong"}
    assert any(
        each.text
        == "scopes: user:invoices:write is not granted, so this fails: creating, changing and sending invoices;"
        " connect again"
        for each in missing
    )


async def test_the_settings_of_the_connection_say_which_rights_are_needed(pipeline: Pipeline) -> None:
    """Z20: deals of Zoho CRM, and documents of FreshBooks, are asked for where opportunities are synced."""
    firm = pipeline.firm
    needed = {system: access.provider for (_, system), access in accesses(firm.settings).items()}
    assert "user:invoices:write" in [each.name for each in needed["freshbooks"].scopes]
    if firm.connection.crm == "zoho_crm":
        (missing,) = [
            each.text
            for each in judge_scopes(
                needed["zoho_crm"],
                " ".join(each.name for each in needed["zoho_crm"].scopes if "deals.UPDATE" not in each.name),
                "run `ledgerline connect zoho_crm --connection acme`",
            )
        ]
        assert missing.startswith("scopes: ZohoCRM.modules.deals.UPDATE is not granted, so this fails: moving deals")
        assert missing.endswith("run `ledgerline connect zoho_crm --connection acme`")


async def test_both_crms_and_freshbooks_are_really_asked(open_with: OpenPipeline) -> None:
    async with open_with(invoice_fields={"number": "Invoice_No"}, estimate_from=["Nowhere"]) as pipeline:
        firm = pipeline.firm
        asked = ConnectionName(connection=firm.name)
        found = (await firm.run(OpportunityCheckActivities.examine_opportunities, asked)).findings
        assert [each.text.split(" names ")[0].split(":")[0] for each in found if each.level == "wrong"] == [
            "opportunities.estimate_from",
            "opportunities.invoice_fields.number",
        ]
        await pipeline.sales.new_field("Invoice_No")
        found = (await firm.run(OpportunityCheckActivities.examine_opportunities, asked)).findings
        assert [each.level for each in found].count("wrong") == 1
        listed = await firm.run(OpportunityCheckActivities.list_owners, asked)
        assert len(listed.owners) >= 1
        assert all("@" in each.email for each in listed.owners)
        owners = OwnersAsked(
            connection=firm.name, crm=listed.crm, owners=[*listed.owners, Owner(id="1", email="x@y.test")]
        )
        (judged,) = (await firm.run(DocumentCheckActivities.examine_owners, owners)).findings
        assert "user 1 (x@y.test)" in judged.text
        (documents,) = (await firm.run(DocumentCheckActivities.examine_documents, asked)).findings
        assert documents.text == "documents: estimates and invoices can be read"


@pytest.mark.parametrize("kind", ["estimates", "invoices"])
async def test_a_token_that_may_not_read_documents_is_named(open_with: OpenPipeline, kind: str) -> None:
    """Z20: of a token in the settings nobody is told which rights it has."""
    async with open_with() as pipeline:
        firm = pipeline.firm
        firm.books_fault(method="GET", path=kind, fault="status", status=403)
        (found,) = (
            await firm.run(DocumentCheckActivities.examine_documents, ConnectionName(connection=firm.name))
        ).findings
    assert found.level == "wrong"
    assert found.text.startswith(f"documents: this token may not read {kind}; it needs user:{kind}:read and")
