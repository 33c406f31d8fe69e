"""Temporal's server, database and backups see nothing of a customer; the operator's browser sees it through us."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from google.protobuf import json_format
from starlette.applications import Starlette
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError

from runtime.codec import ENCODING, SealingCodec, data_converter
from runtime.codec_server import MAX_BODY_BYTES, codec_app
from runtime.keys import KeyProblem, KeyRing
from tests.databases import TEST_KEYS

UI = "http://localhost:8233"
EMAIL = "planted.nora@quist.test"
CLEAR = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps({"email": EMAIL}).encode())


async def test_what_was_sealed_opens_again_with_its_metadata() -> None:
    codec = SealingCodec(TEST_KEYS)
    sealed = await codec.encode([CLEAR, CLEAR])
    assert [each.metadata["encoding"] for each in sealed] == [ENCODING, ENCODING]
    assert EMAIL.encode() not in sealed[0].SerializeToString()
    assert await codec.decode(sealed) == [CLEAR, CLEAR]


async def test_arguments_of_every_kind_come_back_as_they_were() -> None:
    converter = data_converter(TEST_KEYS)
    values = [{"email": EMAIL}, None, b"\x00\xff", 7, ["Zoë", ""]]
    sealed = await converter.encode(values)
    assert all(each.metadata["encoding"] == ENCODING for each in sealed)
    assert await converter.decode(sealed) == values


async def test_payloads_from_before_encryption_pass_as_they_are() -> None:
    assert await SealingCodec(TEST_KEYS).decode([CLEAR]) == [CLEAR]


async def test_an_altered_payload_is_refused() -> None:
    sealed = (await SealingCodec(TEST_KEYS).encode([CLEAR]))[0]
    altered = Payload(metadata=sealed.metadata, data=sealed.data[:-1] + bytes([sealed.data[-1] ^ 1]))
    with pytest.raises(KeyProblem, match="altered"):
        await SealingCodec(TEST_KEYS).decode([altered])


async def test_bytes_sealed_for_the_store_do_not_open_as_a_payload() -> None:
    stolen = Payload(metadata={"encoding": ENCODING}, data=TEST_KEYS.seal(b"base", "links/base/acme/clients/7"))
    with pytest.raises(KeyProblem):
        await SealingCodec(TEST_KEYS).decode([stolen])


async def test_another_installations_payload_is_refused() -> None:
    sealed = await SealingCodec(KeyRing({"other": bytes(32)})).encode([CLEAR])
    with pytest.raises(KeyProblem, match="'other'"):
        await SealingCodec(TEST_KEYS).decode(sealed)


async def test_old_histories_open_after_the_key_was_exchanged() -> None:
    old, new = bytes(range(32)), bytes(32)
    sealed = await SealingCodec(KeyRing({"k1": old})).encode([CLEAR])
    assert await SealingCodec(KeyRing({"k2": new, "k1": old})).decode(sealed) == [CLEAR]


async def test_the_text_of_an_error_is_sealed_too() -> None:
    converter, failure = data_converter(TEST_KEYS), Failure()
    error = ApplicationError(f"FreshBooks refused {EMAIL}", EMAIL, type="Refused")
    await converter.encode_failure(error, failure)
    assert b"planted" not in failure.SerializeToString()
    opened = await converter.decode_failure(failure)
    assert isinstance(opened, ApplicationError)
    assert (opened.message, list(opened.details), opened.type) == (f"FreshBooks refused {EMAIL}", [EMAIL], "Refused")


@pytest.fixture
def app() -> Starlette:
    return codec_app(TEST_KEYS, [UI])


@pytest.fixture
async def browser(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """The operator's browser, on a page of the Temporal UI."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://codec.test", headers={"Origin": UI}) as client:
        yield client


async def test_the_temporal_ui_sees_in_clear_what_the_codec_sealed(browser: httpx.AsyncClient) -> None:
    sealed = Payloads(payloads=await SealingCodec(TEST_KEYS).encode([CLEAR]))
    answer = await browser.post("/decode", content=json_format.MessageToJson(sealed))
    assert answer.status_code == 200
    assert json_format.Parse(answer.text, Payloads()) == Payloads(payloads=[CLEAR])


async def test_what_the_ui_sends_into_a_workflow_is_sealed_first(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/encode", content=json_format.MessageToJson(Payloads(payloads=[CLEAR])))
    sealed = json_format.Parse(answer.text, Payloads())
    assert EMAIL not in answer.text
    assert await SealingCodec(TEST_KEYS).decode(sealed.payloads) == [CLEAR]


async def test_the_ui_may_ask_from_the_browser(browser: httpx.AsyncClient) -> None:
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-namespace"}
    allowed = await browser.options("/decode", headers=wanted)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == UI
    answer = await browser.post("/decode", content="{}")
    assert answer.headers["access-control-allow-origin"] == UI


@pytest.mark.parametrize("origin", ["https://evil.test", "http://localhost:8234", "null", f"{UI}.evil.test"])
async def test_no_other_page_may_ask_or_read_the_answer(browser: httpx.AsyncClient, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    assert "access-control-allow-origin" not in (await browser.options("/decode", headers=asked)).headers
    answer = await browser.post("/decode", content="{}", headers={"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b'{"payloads": 3}',
        b'{"surprise": 1}',
        b'{"payloads": [{"data": 3}]}',
        b'{"payloads":' + b"[" * 20_000,
    ],
)
async def test_a_malformed_body_is_refused_and_not_quoted(browser: httpx.AsyncClient, body: bytes) -> None:
    answer = await browser.post("/decode", content=body)
    assert answer.status_code == 400
    assert answer.json() == {"message": "the body must be Temporal payloads as JSON"}


@pytest.mark.parametrize("data", [b"", b"\x02k1", b"\x02k1short", b"\x05other" + bytes(40), b"\xffk1"])
async def test_a_payload_that_does_not_open_is_refused_with_the_reason(browser: httpx.AsyncClient, data: bytes) -> None:
    payloads = Payloads(payloads=[Payload(metadata={"encoding": ENCODING}, data=data)])
    answer = await browser.post("/decode", content=json_format.MessageToJson(payloads))
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("sealed ")


async def test_an_endless_body_is_refused(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/decode", content=b" " * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413


async def test_it_says_that_it_is_up(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/health")).json() == {"status": "up"}
