"""What a sync asks of a CRM, as Zoho CRM answers it: contacts are people, accounts are organisations."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import time_machine
from pydantic import SecretStr

from activities.crm import Crm
from activities.zoho_crm import ZohoCrm
from connectors.errors import NotFound, Refused
from connectors.http import fixed_token, http_client
from connectors.zoho_crm.api import ZohoCrmApi
from connectors.zoho_crm.models import Saved
from mapping.context import Context
from mapping.engine import load_template
from sandbox.app import Sandbox, build_sandbox

BASE = "http://zoho.test"
TEMPLATE = load_template("zoho_crm-freshbooks/clients")
REFERENCE = "Ledgerline_Reference"
MARK = "ledgerline 0123456789abcdef"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    built = build_sandbox()
    yield built
    await built.close()


@pytest.fixture
async def api(sandbox: Sandbox) -> AsyncIterator[ZohoCrmApi]:
    token = SecretStr(sandbox.zoho_crm_service.about()["tokens"]["access"])
    async with http_client(httpx.ASGITransport(sandbox.zoho_crm)) as http:
        yield ZohoCrmApi(http, fixed_token(token), BASE)


@pytest.fixture
async def crm(api: ZohoCrmApi) -> Crm:
    """An account that has our field in both modules."""
    for module in ("Contacts", "Accounts"):
        field = {"field_label": "Ledgerline Reference", "data_type": "text", "length": 60}
        await api.create_field(module, {"fields": [{**field, "unique": {"casesensitive": False}}]})
    return ZohoCrm(api, TEMPLATE, REFERENCE)


async def put(api: ZohoCrmApi, module: str, **values: Any) -> int:
    (outcome,) = await api.insert(module, [values])
    assert isinstance(outcome, Saved), outcome
    return int(outcome.id)


async def test_a_record_is_read_whichever_module_it_is_in(api: ZohoCrmApi, crm: Crm) -> None:
    """Z74, Z75, Z77."""
    firm = await put(api, "Accounts", Account_Name="Okafor Ltd", Billing_City="Leeds")
    ada = await put(api, "Contacts", Last_Name="Okafor", Email="ada@okafor.test", Account_Name={"id": str(firm)})
    person, organisation = await crm.read(ada), await crm.read(firm)
    assert (person.is_organisation, person.name, person.emails) == (False, "Okafor", ["ada@okafor.test"])
    assert (organisation.is_organisation, organisation.name) == (True, "Okafor Ltd")
    values = TEMPLATE.crm_values(person.document, Context())
    assert (values["lname"], values["organization"]) == ("Okafor", "Okafor Ltd")
    with pytest.raises(NotFound):
        await crm.read(ada + 999_999)


async def test_a_contact_that_was_only_just_entered_is_found_by_its_address(api: ZohoCrmApi, crm: Crm) -> None:
    """F2: the search of Zoho lags, the query does not."""
    ada = await put(api, "Contacts", Last_Name="Okafor", Email="ada@okafor.test")
    assert [each.id for each in await crm.with_email("ada@okafor.test")] == [ada]
    assert await crm.with_email("somebody@else.test") == []


async def test_creating_a_record_twice_makes_one(crm: Crm) -> None:
    """S47, F1: a create whose answer was lost is sent again, and finds what the first attempt made."""
    body = {"module": "Contacts", "Last_Name": "Okafor"}
    first, second = await crm.create(body, MARK, 330101), await crm.create(body, MARK, 330101)
    assert (first.id, first.reference) == (second.id, MARK)
    assert [each.id for each in await crm.with_reference(MARK)] == [first.id]
    assert await crm.marks(1) == ([(MARK, str(first.id))], False)


async def test_without_our_field_nothing_is_created(api: ZohoCrmApi) -> None:
    """Zoho drops what it does not know: a record without our reference could not be found again."""
    bare = ZohoCrm(api, TEMPLATE, REFERENCE)
    with pytest.raises(Refused, match="make a unique text field"):
        await bare.create({"module": "Contacts", "Last_Name": "Okafor"}, MARK, 330101)
    assert await bare.with_reference(MARK) == []
    assert await bare.marks(1) == ([], False)


async def test_a_change_is_written_and_read_back(api: ZohoCrmApi, crm: Crm) -> None:
    firm = await put(api, "Accounts", Account_Name="Okafor Ltd", Fax="1")
    changed = await crm.update(firm, {"Billing_City": "Leeds", "Fax": None})
    assert (changed.document["Billing_City"], changed.document["Fax"]) == ("Leeds", None)
    with pytest.raises(Refused):
        await crm.update(firm, {"Account_Name": None})


async def test_the_firm_of_a_new_person_is_found_by_its_name_or_made_once(api: ZohoCrmApi, crm: Crm) -> None:
    """Z75, Z106."""
    firm = await put(api, "Accounts", Account_Name="Okafor Ltd")
    assert await crm.employer("okafor ltd") == firm
    made = await crm.employer("O'Neill & Sons")
    assert made is not None
    assert await crm.employer("O'Neill & Sons") == made
    await put(api, "Accounts", Account_Name="Okafor Ltd")
    assert await crm.employer("Okafor Ltd") is None


async def test_an_account_with_contacts_leaves_it_to_them_to_be_clients(api: ZohoCrmApi, crm: Crm) -> None:
    """Z75: while it is new it may yet get a contact."""
    peopled, bare = [await put(api, "Accounts", Account_Name=name) for name in ("Okafor Ltd", "Berg AG")]
    ada = await put(api, "Contacts", Last_Name="Okafor", Account_Name={"id": str(peopled)})
    assert [(await crm.read(each)).stands_alone for each in (ada, peopled, bare)] == [True, False, None]
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11)):
        listed = {each.id: each.stands_alone for each in (await crm.listed(None, 1)).items}
    assert listed == {ada: True, peopled: False, bare: True}


async def test_many_records_are_read_at_once_whichever_module_they_are_in(api: ZohoCrmApi, crm: Crm) -> None:
    firm = await put(api, "Accounts", Account_Name="Okafor Ltd")
    people = [await put(api, "Contacts", Last_Name=f"Okafor {number}") for number in range(3)]
    found = await crm.read_many([*people, firm, firm + 999_999])
    assert {each.id for each in found} == {*people, firm}


async def test_who_was_merged_into_another_contact_is_found_by_the_second_address(api: ZohoCrmApi, crm: Crm) -> None:
    """F17."""
    ada = await put(api, "Contacts", Last_Name="Okafor", Email="ada@okafor.test", Secondary_Email="a.o@home.test")
    assert [each.id for each in await crm.with_email("A.O@home.test")] == [ada]


async def test_a_list_has_what_changed_in_both_modules(api: ZohoCrmApi, crm: Crm) -> None:
    """Z30, F17."""
    firm = await put(api, "Accounts", Account_Name="Okafor Ltd")
    ada = await put(api, "Contacts", Last_Name="Okafor", Account_Name={"id": str(firm)})
    now = datetime.now(UTC)
    listed = await crm.listed(now - timedelta(minutes=5), 1)
    assert ({each.id for each in listed.items} >= {firm, ada}, listed.has_more) == (True, False)
    assert (await crm.listed(now + timedelta(minutes=5), 1)).items == []
    assert [each.id for each in (await crm.people_of(firm, 1)).items] == [ada]


async def test_a_long_list_comes_in_pages(api: ZohoCrmApi, crm: Crm) -> None:
    before = {each.id for each in (await crm.listed(None, 1)).items}
    for start in range(0, 550, 50):
        await api.insert("Contacts", [{"Last_Name": f"Number {start + each}"} for each in range(50)])
    first, second = await crm.listed(None, 1), await crm.listed(None, 2)
    ids = [each.id for each in (*first.items, *second.items)]
    assert (first.has_more, second.has_more) == (True, False)
    assert len(set(ids)) == len(ids) == len(before) + 550


async def test_what_was_deleted_is_told(api: ZohoCrmApi, crm: Crm) -> None:
    """F17."""
    ada = await put(api, "Contacts", Last_Name="Okafor")
    await api.delete("Contacts", [str(ada)])
    gone = await crm.gone(datetime.now(UTC) - timedelta(minutes=5), 1)
    assert ([each.id for each in gone.deleted], gone.hidden, gone.has_more) == ([ada], [], False)
