"""The life of estimates and invoices: phases of a change, states, acceptance, sending, deletion, and what is told."""

from typing import Any

import httpx
import pytest
import time_machine

from sandbox.app import Sandbox
from tests.sandbox.conftest import Receiver, control, new_client
from tests.sandbox.freshbooks_documents import PATHS, asked, changed, ids, line, listed, new, put, read, refusal
from tests.sandbox.test_freshbooks_callbacks import forms, verified

BOTH = pytest.mark.parametrize("kind", ["estimate", "invoice"])
ACTIVE, DELETED, ARCHIVED = 0, 1, 2
A_CENTURY = 36_525


def states(invoice: dict[str, Any]) -> tuple[int, str, str]:
    return invoice["status"], invoice["v3_status"], invoice["display_status"]


def stage(estimate: dict[str, Any]) -> tuple[int, str, str, bool, bool]:
    names = ("status", "ui_status", "display_status", "accepted", "invoiced")
    status, ui_status, display_status, accepted, invoiced = (estimate[each] for each in names)
    return status, ui_status, display_status, accepted, invoiced


async def done(freshbooks: httpx.AsyncClient, kind: str, document: dict[str, Any], deed: str) -> dict[str, Any]:
    """Let the client do something on the page of a document."""
    found: dict[str, Any] = await control(freshbooks, f"records/{kind}/{document['id']}/{deed}", {})
    return found


@BOTH
@pytest.mark.parametrize(
    "phase", [{"vis_state": 0}, {"action_email": False}, {"action_invented": True}, {"ext_vis_state": 0}]
)
async def test_a_state_or_an_action_drops_every_other_field_without_a_word(
    freshbooks: httpx.AsyncClient, kind: str, phase: dict[str, Any]
) -> None:
    """F30: such a change would look as if it had been made."""
    document = await new(freshbooks, kind)
    after = await changed(freshbooks, kind, document, notes="Thanks", lines=[], **phase)
    assert (after["notes"], after["lines"], after["status"]) == ("", document["lines"], 1)


async def test_a_deletion_comes_before_an_action(freshbooks: httpx.AsyncClient) -> None:
    invoice = await new(freshbooks, "invoice")
    after = await changed(freshbooks, "invoice", invoice, vis_state=ARCHIVED, action_mark_as_sent=True)
    assert (after["vis_state"], after["status"]) == (ARCHIVED, 1)


@BOTH
async def test_a_change_leaves_what_it_does_not_name_and_replaces_all_lines(
    freshbooks: httpx.AsyncClient, kind: str
) -> None:
    document = await new(freshbooks, kind, notes="Thanks", lines=[line(), line("Print", cost="20.00")])
    after = await changed(freshbooks, kind, document, po_number="991")
    assert (after["po_number"], after["notes"], len(after["lines"])) == ("991", "Thanks", 2)
    after = await changed(freshbooks, kind, document, lines=[line("Print", cost="20.00")])
    assert [(each["lineid"], each["name"]) for each in after["lines"]] == [(1, "Print")]
    assert (await changed(freshbooks, kind, document, lines=[]))["amount"]["amount"] == "0.00"


@BOTH
async def test_a_deleted_document_leaves_the_list_answers_by_id_and_comes_back(
    freshbooks: httpx.AsyncClient, kind: str
) -> None:
    """F16, F30."""
    deleted, archived = await new(freshbooks, kind), await new(freshbooks, kind)
    await changed(freshbooks, kind, deleted, vis_state=DELETED)
    await changed(freshbooks, kind, archived, vis_state=ARCHIVED)
    assert await ids(freshbooks, kind) == [archived["id"]]
    assert await ids(freshbooks, kind, vis_state=DELETED) == [deleted["id"]]
    assert (await read(freshbooks, kind, deleted))["vis_state"] == DELETED
    assert refusal(await put(freshbooks, kind, deleted, vis_state=3)) == (422, 1004, "vis_state")
    await changed(freshbooks, kind, deleted, vis_state=ACTIVE)
    assert len(await ids(freshbooks, kind)) == 2


@BOTH
async def test_the_verb_delete_hides_a_document_too(freshbooks: httpx.AsyncClient, kind: str) -> None:
    document = await new(freshbooks, kind)
    response = await freshbooks.delete(f"{PATHS[kind]}/{document['id']}")
    assert (response.status_code, response.json()) == (200, {"response": {}})
    assert (await read(freshbooks, kind, document))["vis_state"] == DELETED


async def test_an_invoice_is_sent_once_and_viewed_once(freshbooks: httpx.AsyncClient) -> None:
    """Z142: draft, or final."""
    invoice = await new(freshbooks, "invoice", due_offset_days=A_CENTURY)
    assert states(await done(freshbooks, "invoice", invoice, "view")) == (1, "draft", "draft")
    assert states(await changed(freshbooks, "invoice", invoice, action_mark_as_sent=True)) == (2, "sent", "sent")
    assert states(await done(freshbooks, "invoice", invoice, "view")) == (3, "viewed", "viewed")
    assert states(await changed(freshbooks, "invoice", invoice, action_mark_as_sent=True)) == (3, "viewed", "viewed")
    assert await control(freshbooks, "records/email", method="GET") == {"records": []}


async def test_an_invoice_past_its_day_is_overdue_until_it_is_paid(freshbooks: httpx.AsyncClient) -> None:
    """The day ends in New York."""
    invoice = await new(freshbooks, "invoice", create_date="2026-03-02")
    await changed(freshbooks, "invoice", invoice, action_mark_as_sent=True)
    for instant, state in (("2026-03-03T04:59:00Z", "sent"), ("2026-03-03T05:01:00Z", "overdue")):
        with time_machine.travel(instant, tick=False):
            assert (await read(freshbooks, "invoice", invoice))["v3_status"] == state
            assert await ids(freshbooks, "invoice", v3_status=state) == [invoice["id"]]
    await control(freshbooks, f"records/invoice/{invoice['id']}", {"v3_status": "paid"})
    assert (await read(freshbooks, "invoice", invoice))["v3_status"] == "paid"


@pytest.mark.parametrize(
    ("status", "expected"), [("sent", (422, 1015, "status")), (4, (422, 1004, "status")), (8, (422, 1004, "status"))]
)
async def test_a_status_that_only_a_payment_brings_is_refused(
    freshbooks: httpx.AsyncClient, status: Any, expected: tuple[int, int, str]
) -> None:
    invoice = await new(freshbooks, "invoice")
    assert refusal(await put(freshbooks, "invoice", invoice, status=status)) == expected


async def test_an_invoice_can_be_made_as_sent(freshbooks: httpx.AsyncClient) -> None:
    assert states(await new(freshbooks, "invoice", status=2, due_offset_days=A_CENTURY)) == (2, "sent", "sent")


@BOTH
async def test_an_email_goes_to_those_who_are_named_or_to_the_client(freshbooks: httpx.AsyncClient, kind: str) -> None:
    client = await new_client(freshbooks, organization="Quist AB", email="ap@quist.example")
    document = await new(freshbooks, kind, customerid=client["id"])
    sent = await changed(freshbooks, kind, document, action_email=True)
    assert (sent["status"], sent["display_status"]) == (2, "sent")
    words = {"subject": "Number 7", "body": "Hello"}
    named = {"email_recipients": ["cfo@quist.example"], f"{kind}_customized_email": words}
    await changed(freshbooks, kind, document, action_email=True, **named)
    first, second = (await control(freshbooks, "records/email", method="GET"))["records"]
    assert (first["recipients"], first["kind"], first["object_id"]) == (["ap@quist.example"], kind, document["id"])
    assert (second["recipients"], second["subject"]) == (["cfo@quist.example"], "Number 7")


@BOTH
async def test_an_email_without_an_address_is_refused_and_changes_nothing(
    freshbooks: httpx.AsyncClient, kind: str
) -> None:
    client = await new_client(freshbooks, organization="Quist AB")
    document = await new(freshbooks, kind, customerid=client["id"])
    response = await put(freshbooks, kind, document, action_email=True)
    assert refusal(response) == (422, 1004, "email_recipients")
    assert (await read(freshbooks, kind, document))["status"] == 1


async def test_an_estimate_is_sent_viewed_accepted_and_invoiced(freshbooks: httpx.AsyncClient) -> None:
    """S19, S41: one that was viewed says `open` in one of its three states, as was seen."""
    estimate = await new(freshbooks, "estimate")
    assert stage(await changed(freshbooks, "estimate", estimate, action_email=True))[:3] == (2, "sent", "sent")
    assert stage(await done(freshbooks, "estimate", estimate, "view"))[:3] == (3, "open", "viewed")
    assert stage(await done(freshbooks, "estimate", estimate, "accept")) == (5, "accepted", "accepted", True, False)
    invoice = await new(freshbooks, "invoice", estimateid=estimate["id"], lines=None)
    assert stage(await read(freshbooks, "estimate", estimate)) == (6, "invoiced", "invoiced", True, True)
    assert (invoice["estimateid"], invoice["lines"], invoice["amount"]["amount"]) == (estimate["id"], [], "0.00")
    accepted = await changed(freshbooks, "estimate", estimate, action_accept=True)
    assert stage(accepted) == (6, "invoiced", "invoiced", True, True)


async def test_we_can_accept_on_behalf_of_the_client(freshbooks: httpx.AsyncClient) -> None:
    estimate = await new(freshbooks, "estimate")
    assert stage(await changed(freshbooks, "estimate", estimate, action_accept=True))[3:] == (True, False)


async def test_what_the_states_say_of_an_accepted_estimate_is_a_knob(freshbooks: httpx.AsyncClient) -> None:
    await control(freshbooks, "settings", {"status_after_accept": "unchanged"})
    estimate = await new(freshbooks, "estimate")
    assert stage(await done(freshbooks, "estimate", estimate, "accept")) == (1, "draft", "draft", True, False)


async def test_the_states_of_an_estimate_cannot_be_written_and_nobody_declines(freshbooks: httpx.AsyncClient) -> None:
    estimate = await new(freshbooks, "estimate")
    wishes = {"status": 5, "accepted": True, "invoiced": True, "ui_status": "accepted"}
    assert stage(await changed(freshbooks, "estimate", estimate, **wishes)) == (1, "draft", "draft", False, False)
    for wish in ("action_mark_as_sent", "action_decline"):
        assert stage(await changed(freshbooks, "estimate", estimate, **{wish: True}))[0] == 1


async def test_an_invoice_of_an_estimate_that_does_not_exist_is_refused(freshbooks: httpx.AsyncClient) -> None:
    assert refusal(await asked(freshbooks, "invoice", estimateid=1)) == (404, 1012, "estimateid")


async def test_a_refused_invoice_leaves_its_estimate_alone(freshbooks: httpx.AsyncClient) -> None:
    estimate = await new(freshbooks, "estimate")
    await new(freshbooks, "invoice", invoice_number="A-1")
    assert (await asked(freshbooks, "invoice", invoice_number="A-1", estimateid=estimate["id"])).status_code == 422
    assert stage(await read(freshbooks, "estimate", estimate)) == (1, "draft", "draft", False, False)


async def test_that_an_estimate_keeps_its_date_for_all_that_is_sent_is_a_knob(freshbooks: httpx.AsyncClient) -> None:
    """F14: a 200 is no proof: compare what comes back."""
    await control(freshbooks, "settings", {"estimate_dates_stay": True})
    with time_machine.travel("2026-03-02T17:00:05Z", tick=False):
        estimate = await new(freshbooks, "estimate")
    sent = {"create_date": "2026-04-01", "customerid": estimate["customerid"]}
    after = await changed(freshbooks, "estimate", estimate, **sent)
    assert (after["create_date"], after["updated"]) == ("2026-03-02", estimate["updated"])
    after = await changed(freshbooks, "estimate", estimate, **sent, notes="x")
    assert (after["create_date"], after["notes"]) == ("2026-03-02", "x")


@BOTH
async def test_a_listener_of_a_noun_hears_of_all_its_verbs(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver, kind: str
) -> None:
    """F13: signed and sent by the machinery that tells of clients, our own writes too."""
    document = await new(freshbooks, kind)
    await verified(sandbox, freshbooks, receiver, kind)
    await new(freshbooks, kind, customerid=document["customerid"])
    for fields in ({"notes": "x"}, {"action_email": True}, {"vis_state": DELETED}, {"vis_state": ACTIVE}):
        await changed(freshbooks, kind, document, **fields)
    await sandbox.settle()
    told = [(form["name"], form["object_id"]) for form in forms(receiver)]
    mine = [f"{kind}.{verb}" for verb in ("update", "sendByEmail", "update", "delete", "update")]
    assert told == [(f"{kind}.create", str(document["id"] + 1)), *((name, str(document["id"])) for name in mine)]
    assert {form["account_id"] for form in forms(receiver)} == {"sBx7Qz"}


async def test_what_the_client_does_is_told_and_a_listener_of_one_verb_hears_no_other(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    """S19."""
    estimate = await new(freshbooks, "estimate")
    await verified(sandbox, freshbooks, receiver, "estimate.update")
    await done(freshbooks, "estimate", estimate, "accept")
    await new(freshbooks, "invoice", customerid=estimate["customerid"], estimateid=estimate["id"])
    await changed(freshbooks, "estimate", estimate, vis_state=DELETED)
    await sandbox.settle()
    assert [form["name"] for form in forms(receiver)] == ["estimate.update", "estimate.update"]


@BOTH
async def test_people_make_change_and_delete_documents_by_the_same_rules(
    freshbooks: httpx.AsyncClient, kind: str
) -> None:
    client = await new_client(freshbooks, organization="Quist AB")
    draft = {"customerid": client["id"], "create_date": "2026-03-02", "lines": [line()]}
    document = await control(freshbooks, f"records/{kind}", draft)
    edited = await control(freshbooks, f"records/{kind}", {"id": document["id"], "discount_value": 10}, "PUT")
    assert edited["amount"]["amount"] == "450.00"
    assert (await control(freshbooks, f"records/{kind}/{document['id']}", method="DELETE"))["vis_state"] == DELETED
    entries = (await control(freshbooks, f"ledger?kind={kind}", method="GET"))["entries"]
    assert [(each["operation"], each["via"]) for each in entries] == [
        ("create", "control"),
        ("update", "control"),
        ("update", "control"),
    ]
    assert await listed(freshbooks, PATHS[kind]) == []
