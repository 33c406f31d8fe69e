"""Items, taxes, and the people who work in the business."""

from typing import Any

import httpx
import pytest

from sandbox.app import Sandbox, build_sandbox
from tests.sandbox.conftest import Receiver, caller, control
from tests.sandbox.freshbooks_documents import (
    ITEMS,
    STAFF,
    TAXES,
    TEAM,
    changed,
    line,
    listed,
    new,
    read,
    refusal,
    said,
)
from tests.sandbox.test_freshbooks_callbacks import forms, verified


async def add(freshbooks: httpx.AsyncClient, path: str, key: str, **fields: Any) -> dict[str, Any]:
    return said(await freshbooks.post(path, json={key: fields}), key)


async def test_an_account_that_is_not_empty_has_items_and_taxes_but_no_documents() -> None:
    """Z48, Z52: the same for the same seed."""
    for records, items, taxes in ((0, 0, 0), (1, 3, 4)):
        built = build_sandbox(records=records)
        async with caller(built, "freshbooks") as freshbooks:
            assert len(await listed(freshbooks, ITEMS)) == items
            assert len(await listed(freshbooks, TAXES)) == taxes
            assert "invoice" not in (await control(freshbooks, "info", method="GET"))["counts"]
        await built.close()


async def test_an_item_is_found_by_its_stock_keeping_unit_alone(freshbooks: httpx.AsyncClient) -> None:
    """Z48: by its exact sku; a search by name is ignored."""
    item = await add(freshbooks, ITEMS, "item", name="Design", sku="DES-1", unit_cost={"amount": "95", "code": "EUR"})
    await add(freshbooks, ITEMS, "item", name="Print", unit_cost={"amount": "5", "code": "USD"})
    assert (item["id"], item["qty"], item["inventory"], item["tax1"]) == (item["itemid"], "1", None, 0)
    found = {
        key: [each["name"] for each in await listed(freshbooks, ITEMS, **{f"search[{key}]": value})]
        for key, value in (("sku", "DES-1"), ("name", "Design"), ("unit_cost_min", 50), ("unit_cost_max", 50))
    }
    assert found["sku"] == found["unit_cost_min"] == ["Design"]
    assert (found["unit_cost_max"], found["name"]) == (["Print"], ["Print", "Design"])


async def test_an_item_is_changed_by_phases_like_everything_else(freshbooks: httpx.AsyncClient) -> None:
    item = await add(freshbooks, ITEMS, "item", name="Design", unit_cost={"amount": "95", "code": "EUR"})
    path = f"{ITEMS}/{item['id']}"
    hidden = said(await freshbooks.put(path, json={"item": {"vis_state": 1, "name": "Draw"}}), "item")
    assert (hidden["vis_state"], hidden["name"]) == (1, "Design")
    assert await listed(freshbooks, ITEMS) == []
    back = said(await freshbooks.put(path, json={"item": {"vis_state": 0}}), "item")
    renamed = said(await freshbooks.put(path, json={"item": {"name": "Draw"}}), "item")
    assert (back["vis_state"], renamed["name"], renamed["unit_cost"]["amount"]) == (0, "Draw", "95.00")


async def test_a_tax_has_a_name_of_its_own_and_is_deleted_for_good(freshbooks: httpx.AsyncClient) -> None:
    """Z52."""
    tax = await add(freshbooks, TAXES, "tax", name="VAT", amount=19, number="DE1")
    assert (tax["id"], tax["amount"], tax["compound"], "vis_state" in tax) == (tax["taxid"], "19", False, False)
    assert refusal(await freshbooks.post(TAXES, json={"tax": {"name": "VAT", "amount": "7"}})) == (422, 1026, "name")
    gone = await freshbooks.delete(f"{TAXES}/{tax['id']}")
    assert (gone.status_code, gone.json()) == (200, {"response": {}})
    assert refusal(await freshbooks.get(f"{TAXES}/{tax['id']}")) == (404, 1012, "taxid")
    assert (await add(freshbooks, TAXES, "tax", name="VAT", amount=7))["id"] == tax["id"] + 1


async def test_a_line_names_a_tax_and_shows_its_number_whatever_becomes_of_the_tax(
    freshbooks: httpx.AsyncClient,
) -> None:
    """Z52: a tax that the account does not know can be charged too."""
    tax = await add(freshbooks, TAXES, "tax", name="VAT", amount=19, number="DE1")
    taxes: dict[str, Any] = {"taxName1": "VAT", "taxAmount1": 7, "taxName2": "Unknown", "taxAmount2": 1}
    invoice = await new(freshbooks, "invoice", lines=[line(cost="100.00", **taxes)])
    await freshbooks.put(f"{TAXES}/{tax['id']}", json={"tax": {"amount": 20}})
    (row,) = (await read(freshbooks, "invoice", invoice))["lines"]
    assert (row["taxNumber1"], row["taxAmount1"], row["taxNumber2"]) == ("DE1", "7", None)
    assert invoice["amount"]["amount"] == "108.00"


@pytest.mark.parametrize(
    ("path", "key", "draft", "field"),
    [
        (ITEMS, "item", {"unit_cost": {"amount": "1"}}, "name"),
        (ITEMS, "item", {"name": "Design", "unit_cost": 5}, "unit_cost"),
        (TAXES, "tax", {"amount": 5}, "name"),
        (TAXES, "tax", {"name": "VAT", "amount": "much"}, "amount"),
    ],
)
async def test_what_cannot_be_is_refused_by_field(
    freshbooks: httpx.AsyncClient, path: str, key: str, draft: dict[str, Any], field: str
) -> None:
    response = await freshbooks.post(path, json={key: draft})
    assert (response.status_code, refusal(response)[2]) == (422, field)


async def test_staff_have_email_addresses_and_a_credential(freshbooks: httpx.AsyncClient) -> None:
    """Z51, S42: the list is called `staff`; the owner is number one."""
    people = await listed(freshbooks, STAFF)
    assert [(each["id"], each["email"]) for each in people] == [
        (1, "ida@sandbox-studio.example"),
        (2, "nora.lindqvist@sandbox.example"),
        (3, "jonas.weiss@sandbox.example"),
    ]
    assert all(each["api_token"] for each in people)
    assert said(await freshbooks.get(f"{STAFF}/2"), "staff")["fname"] == "Nora"
    assert refusal(await freshbooks.get(f"{STAFF}/9")) == (404, 1012, "userid")
    found = await listed(freshbooks, STAFF, **{"search[email_like]": "LINDQVIST"})
    assert [each["id"] for each in found] == [2]


async def test_staff_can_only_be_read(freshbooks: httpx.AsyncClient) -> None:
    """Z51: the API has no way to make them."""
    assert (await freshbooks.post(STAFF, json={"staff": {"fname": "Eve"}})).status_code == 405


async def test_the_team_is_the_same_people_in_an_envelope_without_pages(freshbooks: httpx.AsyncClient) -> None:
    """S42."""
    team = (await freshbooks.get(TEAM)).json()
    assert [each["email"] for each in team["response"]] == [each["email"] for each in await listed(freshbooks, STAFF)]
    assert team["meta"] == {"page": 1, "per_page": 30, "total": 3}
    one = (await freshbooks.get(f"{TEAM}/{team['response'][1]['uuid']}")).json()["response"]
    assert (one["first_name"], one["business_role_name"], one["active"]) == ("Nora", "business_employee", True)
    assert (await freshbooks.get(TEAM.replace("880001", "1"))).status_code == 404
    assert (await freshbooks.get(f"{TEAM}/nobody")).status_code == 404


async def test_who_left_is_no_longer_active_but_still_the_owner_of_documents(freshbooks: httpx.AsyncClient) -> None:
    """S42: staff are in the settings of the sandbox."""
    eve = {"first_name": "Eve", "last_name": "Moss", "email": "eve@sandbox.example", "active": False}
    await control(freshbooks, "settings", {"staff": [eve]})
    assert [each["fname"] for each in await listed(freshbooks, STAFF)] == ["Ida"]
    shown = (await freshbooks.get(TEAM, params={"active": "false"})).json()["response"]
    assert [each["email"] for each in shown] == ["eve@sandbox.example"]
    estimate = await new(freshbooks, "estimate", ownerid=2)
    assert (await changed(freshbooks, "estimate", estimate, ownerid=1))["ownerid"] == 1
    invoice = await new(freshbooks, "invoice", ownerid=2)
    assert (await changed(freshbooks, "invoice", invoice, ownerid=1))["ownerid"] == 2


async def test_changes_of_items_and_taxes_are_told(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    await verified(sandbox, freshbooks, receiver, "tax")
    tax = await control(freshbooks, "records/tax", {"name": "VAT", "amount": "19"})
    await control(freshbooks, "records/tax", {"id": tax["id"], "amount": "20"}, "PUT")
    await control(freshbooks, f"records/tax/{tax['id']}", method="DELETE")
    await sandbox.settle()
    assert [form["name"] for form in forms(receiver)] == ["tax.create", "tax.update", "tax.delete"]
