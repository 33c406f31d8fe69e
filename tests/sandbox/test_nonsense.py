import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.app import build_sandbox
from tests.sandbox.conftest import CALLBACKS, CAPSULE, CLIENTS, FRESHBOOKS, caller, new_client, new_party

KEYS = """
    type id name firstName lastName organisation owner team tags fields emailAddresses addresses phoneNumbers websites
    address number country definition value _delete event targetUrl embed options captureRule conditions operator field
    orderBy direction fname email contacts contactid vis_state currency_code pref_email uri verifier resend
"""
WORDS = st.sampled_from(["person", "organisation", "is", "custom:731", "name", "party/created", "client", "", "\x00"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=5)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(bodies=st.lists(st.dictionaries(st.sampled_from(KEYS.split()), JSON, max_size=6), min_size=5, max_size=5))
async def test_whatever_is_sent_is_taken_or_refused_but_never_breaks_the_sandbox(bodies: list[dict[str, Any]]) -> None:
    built = build_sandbox()
    async with caller(built, "capsule") as capsule, caller(built, "freshbooks") as freshbooks:
        party, client = await new_party(capsule), await new_client(freshbooks, fname="Nora")
        for body in bodies:
            calls = [
                (capsule, "POST", "/parties", "party"),
                (capsule, "PUT", f"/parties/{party['id']}", "party"),
                (capsule, "POST", "/parties/filters/results", "filter"),
                (capsule, "POST", "/parties/fields/definitions", "definition"),
                (capsule, "POST", "/parties/tags", "tag"),
                (capsule, "POST", "/resthooks", "restHook"),
                (freshbooks, "POST", CLIENTS, "client"),
                (freshbooks, "PUT", f"{CLIENTS}/{client['id']}", "client"),
                (freshbooks, "POST", CALLBACKS, "callback"),
            ]
            for http, method, path, key in calls:
                answered = await http.request(method, path, content=json.dumps({key: body}))
                assert answered.status_code < 500
            party_path = f"{CAPSULE}/_sandbox/records/party"
            controls = [
                (capsule, "POST", party_path),
                (capsule, "PUT", party_path),
                (capsule, "POST", f"{party_path}/{party['id']}/merge"),
                (freshbooks, "POST", f"{FRESHBOOKS}/_sandbox/records/client"),
                (freshbooks, "PUT", f"{FRESHBOOKS}/_sandbox/records/client"),
                (freshbooks, "POST", f"{FRESHBOOKS}/_sandbox/settings"),
                (freshbooks, "POST", f"{FRESHBOOKS}/_sandbox/faults"),
                (freshbooks, "POST", f"{FRESHBOOKS}/_sandbox/tokens/revoke"),
            ]
            for http, method, url in controls:
                assert (await http.request(method, url, content=json.dumps(body))).status_code < 500
    await built.close()


async def test_half_a_surrogate_pair_and_an_endless_id_are_refused() -> None:
    built = build_sandbox()
    async with caller(built, "capsule") as capsule, caller(built, "freshbooks") as freshbooks:
        half = rb'{"party":{"type":"organisation","name":"\ud800"}}'
        assert (await capsule.post("/parties", content=half)).status_code == 400
        assert (await freshbooks.post(CLIENTS, content=rb'{"client":{"fname":"\uD800"}}')).status_code == 422
        assert (await capsule.get(f"/parties/{'9' * 5000}")).status_code == 404
        assert (await freshbooks.get(f"{CLIENTS}/{'9' * 5000}")).status_code == 404
    await built.close()
