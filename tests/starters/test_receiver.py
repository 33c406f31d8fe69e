"""The receiver believes little, writes once, and never answers 500."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import starters.receiver
from starters.forwarding import Forwarder
from store.callbacks import MOST_OFFERS
from store.store import Store
from tests.databases import TEST_KEYS, sqlite_url
from tests.sandboxes import Firm
from tests.starters.doorway import Doorway, Heard

PARTY = {"event": "party/updated", "payload": [{"id": 7}]}
ANSWERS = {200, 400, 401, 404, 413}
LARGE = b"x" * 5_000_000

forms = st.dictionaries(
    st.sampled_from(["name", "object_id", "account_id", "verifier", "user_id"]),
    st.one_of(st.text(max_size=20), st.sampled_from(["client.update", "callback.verify", "sBx7Qz", "7"])),
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
header_texts = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)


async def test_a_party_that_capsule_announces_reaches_its_workflow(doorway: Doorway, firm: Firm, heard: Heard) -> None:
    """S1, Z29: delivered by the sandbox itself."""
    await doorway.register()
    party_id = await firm.new_party()
    await firm.sandbox.settle()
    assert heard.parties == [party_id]
    assert heard.causes == ["capsule webhook party/created"]


async def test_a_client_that_freshbooks_announces_reaches_its_workflow(
    doorway: Doorway, firm: Firm, heard: Heard
) -> None:
    """Z28: handshake, verification and signature as the sandbox makes them."""
    await doorway.register()
    client_id = await firm.new_client(organization="Acme")
    await firm.sandbox.settle()
    assert heard.clients == [str(client_id)]
    assert heard.causes == ["freshbooks webhook client.create"]


async def test_a_delivery_about_several_parties_announces_each_once(doorway: Doorway, heard: Heard) -> None:
    answer = await doorway.capsule({"event": "party/updated", "payload": [{"id": 7}, {"id": 8}, {"id": 7}]})
    assert (answer.status_code, answer.json()) == (200, {"outcome": "handed-over"})
    assert sorted(heard.parties) == [7, 8]


async def test_an_event_that_no_flow_listens_to_is_taken_and_forgotten(doorway: Doorway, heard: Heard) -> None:
    answer = await doorway.capsule({"event": "task/updated", "payload": [{"id": 7}]})
    assert (answer.status_code, heard.parties) == (200, [])


async def test_whoever_does_not_know_the_secret_finds_nothing_here(doorway: Doorway, heard: Heard) -> None:
    answer = await doorway.capsule(PARTY, secret="0" * 64)
    assert (answer.status_code, heard.parties) == (404, [])


async def test_an_unknown_connection_looks_like_a_wrong_secret(doorway: Doorway) -> None:
    wrong = await doorway.capsule(PARTY, secret="0" * 64)
    unknown = await doorway.http.post(f"/hooks/capsule/nobody/{doorway.secrets['capsule']}", json=PARTY)
    assert (unknown.status_code, unknown.content) == (404, wrong.content)


async def test_the_secret_of_one_system_does_not_open_the_other(doorway: Doorway) -> None:
    assert (await doorway.capsule(PARTY, secret=doorway.secrets["freshbooks"])).status_code == 404


async def test_a_secret_with_letters_that_no_secret_has_is_simply_wrong(doorway: Doorway) -> None:
    assert (await doorway.capsule(PARTY, secret="%C3%A9%00")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe\xfd",
        b"[]",
        b'{"event": "party/updated"}',
        b'{"event": 7, "payload": []}',
        b'{"event": "party/updated", "payload": [{"id": "7"}]}',
        b'{"event": "party/updated", "payload": [{"id": NaN}]}',
        b'{"event": "a/b", "event": "party/updated", "payload": []}',
        b'{"event": "party/updated", "payload": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
    ids=["empty", "words", "no-utf8", "list", "no-payload", "odd-event", "id-as-text", "nan", "twice", "deep"],
)
async def test_what_capsule_would_never_send_is_refused(doorway: Doorway, heard: Heard, body: bytes) -> None:
    assert (await doorway.capsule(body)).status_code == 400
    assert heard.parties == []


async def test_a_forged_signature_is_refused(doorway: Doorway, heard: Heard) -> None:
    await doorway.register()
    assert (await doorway.freshbooks(doorway.event(9), verifier="guessed")).status_code == 401
    assert heard.clients == []


async def test_a_delivery_without_a_signature_is_refused(doorway: Doorway, heard: Heard) -> None:
    await doorway.register()
    assert (await doorway.freshbooks(doorway.event(9))).status_code == 401
    assert heard.clients == []


async def test_a_signature_for_other_fields_is_refused(doorway: Doorway, heard: Heard) -> None:
    verifier = await doorway.register()
    signed = await doorway.freshbooks(doorway.event(9), verifier)
    fields = {**doorway.event(9), "object_id": "10"}
    header = signed.request.headers["X-FreshBooks-Hmac-SHA256"]
    forged = await doorway.http.post(
        doorway.path("freshbooks"), data=fields, headers={"X-FreshBooks-Hmac-SHA256": header}
    )
    assert (signed.status_code, forged.status_code) == (200, 401)
    assert heard.clients == ["9"]


async def test_a_delivery_for_another_account_is_refused_although_it_is_signed(doorway: Doorway, heard: Heard) -> None:
    verifier = await doorway.register()
    assert (await doorway.freshbooks(doorway.event(9, account_id="zzz999"), verifier)).status_code == 401
    assert heard.clients == []


async def test_nothing_is_believed_before_the_handshake(doorway: Doorway) -> None:
    assert (await doorway.freshbooks(doorway.event(9), verifier="")).status_code == 401


async def test_made_up_handshakes_without_end_are_sent_away(doorway: Doorway, firm: Firm, heard: Heard) -> None:
    """A genuine one is sent again."""
    for number in range(MOST_OFFERS):
        handshake = doorway.event(9000 + number, name="callback.verify", verifier="made up")
        assert (await doorway.freshbooks(handshake)).status_code == 200
    one_more = doorway.event(501, name="callback.verify", verifier="genuine")
    answer = await doorway.freshbooks(one_more)
    assert (answer.status_code, answer.json()) == (503, {"outcome": "too-many-handshakes"})
    assert len(heard.handshakes) == MOST_OFFERS


async def test_a_form_that_freshbooks_would_never_send_is_refused(doorway: Doorway) -> None:
    assert (await doorway.freshbooks({"name": "client"})).status_code == 400


async def test_a_body_of_five_megabytes_is_not_read(doorway: Doorway) -> None:
    answer = await doorway.capsule(LARGE)
    assert answer.status_code == 413


async def test_a_large_body_that_does_not_say_its_size_is_not_read_either(doorway: Doorway) -> None:
    async def drops() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"x" * 100_000

    answer = await doorway.http.post(doorway.path("capsule"), content=drops())
    assert answer.status_code == 413


async def test_a_sender_that_never_ends_is_not_waited_for(doorway: Doorway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starters.receiver, "READ_SECONDS", 0.05)

    async def trickle() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)

    assert (await doorway.http.post(doorway.path("capsule"), content=trickle())).status_code == 408


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(body=st.one_of(st.binary(max_size=300), json_values), header=header_texts)
async def test_nothing_that_anybody_sends_as_capsule_makes_us_fail(doorway: Doorway, body: object, header: str) -> None:
    body = body if isinstance(body, bytes) else repr(body).encode(errors="replace")
    answer = await doorway.http.post(
        doorway.path("capsule"), content=body, headers={b"content-type": header.encode("latin-1")}
    )
    assert answer.status_code in ANSWERS


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(form=forms, header=header_texts)
async def test_nothing_that_anybody_sends_as_freshbooks_makes_us_fail(
    doorway: Doorway, form: dict[str, str], header: str
) -> None:
    answer = await doorway.http.post(
        doorway.path("freshbooks"),
        data={key: value.encode(errors="replace").decode() for key, value in form.items()},
        headers={b"x-freshbooks-hmac-sha256": header.encode("latin-1")},
    )
    assert answer.status_code in ANSWERS


async def test_while_the_store_is_down_temporal_still_takes_what_capsule_says(tmp_path: Path, firm: Firm) -> None:
    heard = Heard(firm.store)
    async with Doorway.open(firm, Forwarder(heard, broken(tmp_path))) as doorway:
        assert (await doorway.capsule(PARTY)).status_code == 200
    assert heard.parties == [7]


async def test_with_temporal_and_the_store_down_the_sender_has_to_try_again(tmp_path: Path, firm: Firm) -> None:
    """S49."""
    heard = Heard(firm.store)
    heard.down = True
    async with Doorway.open(firm, Forwarder(heard, broken(tmp_path))) as doorway:
        assert (await doorway.capsule(PARTY)).status_code == 503


async def test_a_signature_that_cannot_be_checked_now_is_not_called_wrong(
    tmp_path: Path, firm: Firm, heard: Heard
) -> None:
    """S49: 401 or 500 might end the callback, 503 brings the delivery back."""
    firm.store.callbacks = broken(tmp_path).callbacks
    async with Doorway.open(firm, Forwarder(heard, firm.store)) as doorway:
        assert (await doorway.freshbooks(doorway.event(9), verifier="any")).status_code == 503


async def test_ready_means_that_a_delivery_would_be_kept(doorway: Doorway) -> None:
    """S50."""
    answer = await doorway.http.get("/ready")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ready", "waiting_in_inbox": 0, "temporal": True},
    )


async def test_without_a_store_the_receiver_is_not_ready(tmp_path: Path, firm: Firm, heard: Heard) -> None:
    async with Doorway.open(firm, Forwarder(heard, broken(tmp_path))) as doorway:
        assert (await doorway.http.get("/ready")).status_code == 503


async def test_the_receiver_is_up_whatever_else_is_not(tmp_path: Path, firm: Firm, heard: Heard) -> None:
    async with Doorway.open(firm, Forwarder(heard, broken(tmp_path))) as doorway:
        assert (await doorway.http.get("/health")).json() == {"status": "up"}


def broken(folder: Path) -> Store:
    """Return a store whose database has lost its tables."""
    return Store(sqlite_url(folder / "lost"), TEST_KEYS)
