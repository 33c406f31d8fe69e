"""A customer of the books who was a lead in Zoho: the lead is converted, and nobody is entered twice."""

from typing import Any

import pytest

from activities.zoho_crm import ZohoCrm
from activities.zoho_leads import LeadRules
from connectors.errors import UnknownOutcome
from mapping.engine import load_template
from sandbox.faults import FaultRule
from tests.sandboxes import Firm
from tests.zoho_firms import ACCOUNTS, CONTACTS, ZohoPeople

MARK = "ledgerline 0123456789abcdef"
LEAD = {"Last_Name": "Okafor", "Email": "ada@okafor.test", "Company": "Okafor Ltd", "Mobile": "+44 7700 900123"}
CLIENT = {"module": CONTACTS, "First_Name": "Ada", "Last_Name": "Okafor", "Email": "ada@okafor.test"}


def crm(people: ZohoPeople, **rules: Any) -> ZohoCrm:
    return ZohoCrm(people.api, load_template("zoho_crm-freshbooks/clients"), "Ledgerline_Reference", LeadRules(**rules))


@pytest.fixture
def people(zoho_firm: Firm) -> ZohoPeople:
    return ZohoPeople(zoho_firm)


async def test_the_open_lead_of_a_new_customer_becomes_the_contact(people: ZohoPeople) -> None:
    """Z53, Z103: what sales knew of the lead stays with the contact."""
    await people.enter("Leads", **LEAD)
    made = await crm(people, converts=True).create(CLIENT, MARK, 330101)
    (contact,) = await people.all(CONTACTS)
    record = await people.record(CONTACTS, made.id)
    assert int(contact["id"]) == made.id
    assert (record["First_Name"], record["Mobile"]) == ("Ada", "+44 7700 900123")
    assert (record["Account_Name"]["name"], made.reference) == ("Okafor Ltd", MARK)
    assert len(await people.all(ACCOUNTS)) == 1


async def test_a_second_attempt_makes_no_second_contact(people: ZohoPeople) -> None:
    """F1."""
    await people.enter("Leads", **LEAD)
    first = await crm(people, converts=True).create(CLIENT, MARK, 330101)
    second = await crm(people, converts=True).create(CLIENT, MARK, 330101)
    assert first.id == second.id
    assert len(await people.all(CONTACTS)) == 1


async def test_a_conversion_that_was_not_answered_is_found_by_looking(people: ZohoPeople, zoho_firm: Firm) -> None:
    """F1: nobody converts or enters anything again before that look."""
    await people.enter("Leads", **LEAD)
    lost = FaultRule(method="POST", path="/actions/convert$", fault="commit_then_cut", times=1)
    zoho_firm.crm_service.faults.add(lost)
    with pytest.raises(UnknownOutcome):
        await crm(people, converts=True).create(CLIENT, MARK, 330101)
    (found,) = await crm(people, converts=True).with_email("ada@okafor.test")
    assert [int(each["id"]) for each in await people.all(CONTACTS)] == [found.id]


async def test_of_two_leads_with_one_address_none_is_converted(people: ZohoPeople) -> None:
    """F4: which of them is the customer a person has to say."""
    leads = [await people.enter("Leads", **LEAD) for _ in range(2)]
    await crm(people, converts=True).create(CLIENT, MARK, 330101)
    assert [(await people.record("Leads", lead))["$converted"] for lead in leads] == [False, False]
    assert len(await people.all(CONTACTS)) == 1


async def test_leads_are_left_alone_unless_the_settings_say_otherwise(people: ZohoPeople) -> None:
    lead = await people.enter("Leads", **LEAD)
    await crm(people).create(CLIENT, MARK, 330101)
    assert not (await people.record("Leads", lead))["$converted"]


async def test_a_new_contact_says_by_its_kind_where_it_comes_from(people: ZohoPeople) -> None:
    """Z103: the type of the client decides the lead source."""
    firm = await people.enter(ACCOUNTS, Account_Name="Okafor Ltd")
    rules = {"sources": {"person": "Web Research", "firm": "Partner"}}
    alone = await crm(people, **rules).create(CLIENT, MARK, 330101)
    employed = {**CLIENT, "Email": "bo@okafor.test", "Account_Name": {"id": str(firm)}}
    other = await crm(people, **rules).create(employed, f"{MARK}0", 330102)
    sources = [(await people.record(CONTACTS, each.id))["Lead_Source"] for each in (alone, other)]
    assert sources == ["Web Research", "Partner"]
