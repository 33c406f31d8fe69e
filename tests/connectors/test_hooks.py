"""Webhook deliveries: read strictly, verified in constant time, and never worse than malformed."""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.capsule import hooks as capsule
from connectors.errors import MalformedHook
from connectors.freshbooks import hooks as freshbooks

BODY = b"name=client.update&object_id=177864&account_id=FrEsHb&business_id=439000&identity_id=12345&user_id=1"
VERIFIER = "testVerifier123"
SIGNED = "//f4z9HhXNfu5XX1C25sfAdgcaX+Xl6AbZ57T2mJR48="


def test_a_delivery_of_capsule_says_which_parties_to_look_at() -> None:
    """S1: the array may hold several records, and one of them twice."""
    body = {"event": "party/updated", "payload": [{"id": 11, "name": "Acme Ltd"}, {"id": 12}, {"id": 11}]}
    assert capsule.parse_delivery(json.dumps(body).encode()) == capsule.HookDelivery("party/updated", (11, 12))


def test_a_delivery_about_nothing_is_fine() -> None:
    assert capsule.parse_delivery(b'{"event":"task/completed","payload":[]}').record_ids == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b'{"event":"party/updated"}',
        b'{"event":"party/updated","payload":{"id":1}}',
        b'{"event":"party/updated","payload":[11]}',
        b'{"event":"party/updated","payload":[{}]}',
        b'{"event":"party/updated","payload":[{"id":"11"}]}',
        b'{"event":"party/updated","payload":[{"id":true}]}',
        b'{"event":"party/updated","payload":[{"id":11.0}]}',
        b'{"event":"party/updated","payload":[{"id":0}]}',
        b'{"event":"party/updated","payload":[{"id":-4}]}',
        b'{"event":"party/updated","payload":[{"id":9223372036854775808}]}',
        b'{"event":"party updated","payload":[]}',
        b'{"event":7,"payload":[]}',
        b'{"event":"party/updated\\n","payload":[]}',
        b'{"event":"party/updated","event":"party/deleted","payload":[]}',
        b'{"event":"party/updated","payload":[{"id":NaN}]}',
        b"[" * 100_000,
    ],
    ids=lambda body: str(body[:60]),
)
def test_anything_else_from_capsule_is_malformed(body: bytes) -> None:
    """Names and addresses of the payload stay out of the message."""
    with pytest.raises(MalformedHook, match="the delivery from Capsule"):
        capsule.parse_delivery(body)


def test_a_delivery_of_freshbooks_says_which_client_to_look_at() -> None:
    """S1, Z28."""
    delivery = freshbooks.parse_delivery(freshbooks.parse_fields(BODY))
    assert delivery == freshbooks.HookDelivery("client.update", 177864, "FrEsHb", None)


def test_the_handshake_brings_the_verifier_and_keeps_it_out_of_sight() -> None:
    body = b"name=callback.verify&object_id=2001&account_id=aB3xYz&verifier=Zk3vQp81LmTtYw6RrBnD0sHe"
    delivery = freshbooks.parse_delivery(freshbooks.parse_fields(body))
    assert delivery.object_id == 2001
    assert delivery.verifier is not None
    assert delivery.verifier.get_secret_value() == "Zk3vQp81LmTtYw6RrBnD0sHe"
    assert "Zk3v" not in repr(delivery)


def test_a_verifier_on_an_ordinary_event_is_not_taken() -> None:
    """Otherwise a forger could plant the key of his next delivery."""
    fields = freshbooks.parse_fields(BODY + b"&verifier=forged")
    assert freshbooks.parse_delivery(fields).verifier is None


@pytest.mark.parametrize(
    "body",
    [
        b"name=client.update&object_id=1",
        b"name=client.update&account_id=a",
        b"object_id=1&account_id=a",
        b"name=client&object_id=1&account_id=a",
        b"name=client.update&object_id=&account_id=a",
        b"name=client.update&object_id=1_000&account_id=a",
        b"name=client.update&object_id=%2B1&account_id=a",
        b"name=client.update&object_id=%D9%A1&account_id=a",
        b"name=client.update&object_id=1&account_id=a%2F..%2Fb",
        b"name=client.update&object_id=1&account_id=",
        b"name=client.update%0A&object_id=1&account_id=a",
        b"name=callback.verify&object_id=1&account_id=a",
        b"name=callback.verify&object_id=1&account_id=a&verifier=",
    ],
)
def test_a_delivery_of_freshbooks_that_lacks_something_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedHook, match="from FreshBooks"):
        freshbooks.parse_delivery(freshbooks.parse_fields(body))


@pytest.mark.parametrize(
    "body",
    [b"", b"&", b"name", b"a=1&&b=2", b"a=1&a=2", b"a=%ff", b"\xff=1", b"&".join(b"k%d=1" % n for n in range(33))],
    ids=lambda body: str(body[:20]),
)
def test_a_body_that_is_no_form_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedHook, match="from FreshBooks"):
        freshbooks.parse_fields(body)


def test_the_form_keeps_its_order_and_its_blank_values() -> None:
    assert freshbooks.parse_fields(b"b=2&a=&c=%C3%A9+x") == [("b", "2"), ("a", ""), ("c", "é x")]


def test_the_published_recipe_gives_the_known_signature() -> None:
    fields = freshbooks.parse_fields(BODY)
    assert freshbooks.signature(VERIFIER, fields) == SIGNED
    assert freshbooks.verify(VERIFIER, fields, SIGNED)


@pytest.mark.parametrize(
    ("verifier", "body"),
    [
        ("anotherVerifier", BODY),
        ("", BODY),
        (VERIFIER, BODY.replace(b"177864", b"177865")),
        (VERIFIER, b"&".join(reversed(BODY.split(b"&")))),
    ],
    ids=["key", "no key", "value", "order"],
)
def test_a_forged_delivery_is_not_believed(verifier: str, body: bytes) -> None:
    assert not freshbooks.verify(verifier, freshbooks.parse_fields(body), SIGNED)


def test_without_a_key_not_even_a_matching_signature_counts() -> None:
    fields = freshbooks.parse_fields(BODY)
    assert not freshbooks.verify("", fields, freshbooks.signature("", fields))


@pytest.mark.parametrize(
    "header", [None, "", "x", SIGNED[:-1], SIGNED + "=", SIGNED.lower(), "é" * 44, "\ud800", "\x00"]
)
def test_a_garbage_signature_is_false_and_no_accident(header: str | None) -> None:
    assert freshbooks.verify(VERIFIER, freshbooks.parse_fields(BODY), header) is False


@given(
    st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=8), min_size=1, max_size=6),
    st.text(min_size=1, max_size=9),
)
def test_whatever_the_fields_say_their_own_signature_fits(said: dict[str, str], verifier: str) -> None:
    """Values with ": " and ", " in them, which break the recipe of other languages, and any alphabet."""
    fields = freshbooks.parse_fields(urlencode(said).encode())
    assert fields == list(said.items())
    assert freshbooks.verify(verifier, fields, freshbooks.signature(verifier, fields))


@given(st.binary(max_size=120) | st.text(alphabet="name=object_id&account%+.1a0", max_size=60).map(str.encode))
def test_no_bytes_do_worse_than_a_malformed_form(body: bytes) -> None:
    try:
        freshbooks.parse_delivery(freshbooks.parse_fields(body))
    except MalformedHook:
        return


@given(
    st.dictionaries(st.sampled_from(["name", "object_id", "account_id", "verifier"]), st.text(max_size=12)),
    st.text(max_size=30),
)
def test_no_fields_and_no_header_do_worse_than_malformed_and_false(said: dict[str, str], header: str) -> None:
    fields = list(said.items())
    assert not freshbooks.verify(VERIFIER, fields, header)
    try:
        freshbooks.parse_delivery(fields)
    except MalformedHook:
        return


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=True) | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["event", "payload", "id", "type"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.binary(max_size=120) | ANY_JSON.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_do_worse_than_a_malformed_delivery(body: bytes) -> None:
    try:
        capsule.parse_delivery(body)
    except MalformedHook:
        return
