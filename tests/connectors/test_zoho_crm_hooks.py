"""Deliveries of Zoho CRM's notification channels: read strictly, believed only with the channel's token."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import MalformedHook
from connectors.zoho_crm.hooks import parse_delivery, verify

ADA_ID, NORA_ID = "4876876000000412001", "4876876000000412002"
TOKEN = "s3cret-random"
SAID: dict[str, Any] = {
    "server_time": 1741514399123,
    "query_params": {},
    "module": "Contacts",
    "resource_uri": "https://www.zohoapis.com/crm/v8/Contacts",
    "ids": [ADA_ID, NORA_ID, ADA_ID],
    "operation": "update",
    "channel_id": "1000000068001",
    "token": TOKEN,
    "affected_fields": [{ADA_ID: ["Email"]}],
    "affected_values": [{"record_id": ADA_ID, "values": {"Email": "ada@okafor.test"}}],
}


def body(**changes: Any) -> bytes:
    return json.dumps({key: value for key, value in {**SAID, **changes}.items() if value != "left out"}).encode()


def test_a_delivery_says_which_contacts_to_look_at() -> None:
    """Z29: several ids, one of them twice."""
    delivery = parse_delivery(body())
    assert (delivery.module, delivery.operation) == ("Contacts", "update")
    assert delivery.record_ids == (ADA_ID, NORA_ID)
    assert delivery.channel_id == "1000000068001"
    assert delivery.at == datetime(2025, 3, 9, 9, 59, 59, 123_000, tzinfo=UTC)


@pytest.mark.parametrize("operation", ["insert", "update", "delete"])
def test_all_three_operations_are_known(operation: str) -> None:
    assert parse_delivery(body(operation=operation)).operation == operation


def test_ids_and_channels_as_numbers_are_read_all_the_same() -> None:
    delivery = parse_delivery(body(ids=[int(ADA_ID)], channel_id=1000000068001))
    assert (delivery.record_ids, delivery.channel_id) == ((ADA_ID,), "1000000068001")


def test_a_delivery_about_nothing_is_fine() -> None:
    assert parse_delivery(body(ids=[])).record_ids == ()


@pytest.mark.parametrize("said", ["left out", None, "noon", -1, True, 10**20, 1.5])
def test_a_delivery_without_a_usable_time_is_still_news(said: Any) -> None:
    assert parse_delivery(body(server_time=said)).at is None


def test_the_token_of_our_channel_is_believed_and_no_other() -> None:
    delivery = parse_delivery(body())
    assert verify(TOKEN, delivery)
    assert not verify(TOKEN + "x", delivery)
    assert not verify("ütf", delivery)


def test_without_a_token_of_ours_nothing_is_believed() -> None:
    assert not verify("", parse_delivery(body()))


def test_a_delivery_in_a_log_line_shows_neither_token_nor_values() -> None:
    shown = repr(parse_delivery(body()))
    assert TOKEN not in shown
    assert "okafor" not in shown


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        body(module="left out"),
        body(module="../org"),
        body(module=7),
        body(ids="left out"),
        body(ids=ADA_ID),
        body(ids={"0": ADA_ID}),
        body(ids=[None]),
        body(ids=[True]),
        body(ids=[1.5]),
        body(ids=["12x"]),
        body(ids=["-1"]),
        body(ids=[-1]),
        body(ids=["١٢"]),
        body(ids=["1" * 26]),
        body(ids=[ADA_ID + "\n"]),
        body(operation="left out"),
        body(operation="edit"),
        body(operation=["update"]),
        body(channel_id="left out"),
        body(channel_id="x"),
        body(token="left out"),
        body(token=""),
        body(token="x" * 51),
        body(token=["s3cret-random"]),
        body().replace(b'"module"', b'"token": "x", "module"'),
        b"[" * 100_000,
    ],
    ids=lambda raw: str(raw[:30]),
)
def test_anything_else_is_malformed_and_not_quoted(raw: bytes) -> None:
    with pytest.raises(MalformedHook, match="the delivery from Zoho CRM") as caught:
        parse_delivery(raw)
    assert "okafor" not in str(caught.value)
    assert TOKEN not in str(caught.value)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=True) | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(SAID)), inner, max_size=4),
    max_leaves=10,
)


@given(st.binary(max_size=120) | ANY_JSON.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_do_worse_than_a_malformed_delivery(raw: bytes) -> None:
    try:
        parse_delivery(raw)
    except MalformedHook:
        return


@given(st.dictionaries(st.sampled_from(sorted(SAID)), st.none() | st.integers() | st.text(max_size=20), max_size=3))
def test_no_change_of_a_good_delivery_does_worse_than_malformed(changes: dict[str, Any]) -> None:
    try:
        delivery = parse_delivery(body(**changes))
    except MalformedHook:
        return
    assert verify(TOKEN, delivery) is (changes.get("token", TOKEN) == TOKEN)


def test_a_delivery_about_a_deal_is_understood() -> None:
    """S12, Z12."""
    delivery = parse_delivery(body(module="Deals", ids=["4876876000000509001"], affected_fields="left out"))
    assert (delivery.module, delivery.record_ids) == ("Deals", ("4876876000000509001",))
    assert verify(TOKEN, delivery)
