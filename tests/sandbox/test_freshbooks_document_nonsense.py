"""Whatever is sent as a document, an item or a tax, the sandbox answers."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.app import build_sandbox
from tests.sandbox.conftest import FRESHBOOKS, caller
from tests.sandbox.freshbooks_documents import ITEMS, PATHS, TAXES, line, new

KEYS = """
    customerid create_date due_offset_days invoice_number estimate_number currency_code notes discount_value lines
    ownerid estimateid status action_email action_accept action_mark_as_sent email_recipients vis_state fulfillment_date
    invoice_customized_email name amount unit_cost sku qty tax1 compound code type expenseid taxName1 taxAmount1
    taxAmount2 compounded_tax id
"""
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.sampled_from(["EUR", "JPY", "2026-03-02", "9.975", "-1", "", "\x00", "CAP-" + "9" * 40])
    | st.text(max_size=5)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=5),
    max_leaves=12,
)
MONEY = st.fixed_dictionaries({"amount": SCALARS, "code": SCALARS})
LINE = st.dictionaries(st.sampled_from(KEYS.split()), JSON, max_size=4) | st.builds(
    lambda cost, more: {**more, "unit_cost": cost}, MONEY, st.dictionaries(st.sampled_from(KEYS.split()), JSON)
)
BODY = st.dictionaries(st.sampled_from(KEYS.split()), JSON, max_size=6) | st.builds(
    lambda rows, more: {"create_date": "2026-03-02", **more, "lines": rows},
    st.lists(LINE, max_size=3),
    st.dictionaries(st.sampled_from(KEYS.split()), JSON, max_size=3),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(bodies=st.lists(BODY, min_size=4, max_size=4))
async def test_whatever_is_sent_is_taken_or_refused_but_never_breaks_the_books(bodies: list[dict[str, Any]]) -> None:
    built = build_sandbox()
    async with caller(built, "freshbooks") as freshbooks:
        documents = {kind: await new(freshbooks, kind, lines=[line()]) for kind in PATHS}
        for body in bodies:
            named = {"customerid": documents["invoice"]["customerid"], **body}
            calls = [("POST", path, kind, named) for kind, path in PATHS.items()]
            calls += [("PUT", f"{path}/{documents[kind]['id']}", kind, body) for kind, path in PATHS.items()]
            calls += [("POST", ITEMS, "item", {"name": "Design", **body}), ("POST", TAXES, "tax", body)]
            for method, path, key, draft in calls:
                answered = await freshbooks.request(method, path, content=json.dumps({key: draft}))
                assert answered.status_code < 500
            for kind in (*PATHS, "item", "tax"):
                url = f"{FRESHBOOKS}/_sandbox/records/{kind}"
                for method in ("POST", "PUT"):
                    assert (await freshbooks.request(method, url, content=json.dumps(body))).status_code < 500
            for path in PATHS.values():
                query = {f"search[{key}]": str(value) for key, value in body.items()}
                assert (await freshbooks.get(path, params={**query, "include[]": "lines"})).status_code < 500
    await built.close()
