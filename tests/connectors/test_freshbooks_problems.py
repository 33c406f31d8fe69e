"""Every documented shape in which FreshBooks says no, whatever HTTP status it stands under."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.answers import Answer
from connectors.errors import (
    ConnectorError,
    Forbidden,
    NotFound,
    RateLimited,
    Refused,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
)
from connectors.freshbooks.problems import judge
from tests.connectors.answering import freshbooks

UNKNOWN_CLIENT = {
    "errno": 1012,
    "field": "userid",
    "message": "Client not found.",
    "object": "client",
    "value": "330999",
}
UNAUTHENTICATED = {"error": "unauthenticated", "error_description": "This action requires authentication to continue."}


def accounting(*errors: dict[str, Any]) -> dict[str, Any]:
    return {"response": {"errors": list(errors)}}


def grpc(code: int, reason: str, field: str) -> dict[str, Any]:
    metadata = {"object": "client", "message": "no", "value": "330999", "field": field}
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    return {
        "code": code,
        "message": "Request failed",
        "details": [{"@type": kind, "reason": reason, "metadata": metadata}],
    }


BAD_EVENT = {
    "code": 3,
    "message": "Invalid data in this request.",
    "details": [
        {
            "@type": "google.rpc.BadRequest",
            "fieldViolations": [{"field": "event", "description": "Unrecognized event."}],
        }
    ],
}
BUSINESS = {"reason": "name: This field is required.", "metadata": {"message": "required", "field": "name"}}


@pytest.mark.parametrize(
    ("status", "body", "error", "problems"),
    [
        (404, accounting(UNKNOWN_CLIENT), NotFound, [("userid", "1012")]),
        (
            422,
            accounting({"errno": 1001, "field": "clientid"}, {"errno": 1017, "field": "fname"}),
            Refused,
            [("clientid", "1001"), ("fname", "1017")],
        ),
        (
            422,
            {"response": {"errors": {"errno": 1004, "field": "email", "message": "bad"}}},
            Refused,
            [("email", "1004")],
        ),
        (403, accounting({"errno": 1003, "field": "", "message": "Permission Denied"}), Forbidden, [(None, "1003")]),
        (403, accounting({"errno": 1038, "field": "due_date"}), Forbidden, [("due_date", "1038")]),
        (404, grpc(5, "1012", "userid"), NotFound, [("userid", "1012")]),
        (422, grpc(3, "1004", "email"), Refused, [("email", "1004")]),
        (400, BAD_EVENT, Refused, [("event", None)]),
        (
            404,
            {"code": 5, "message": "Requested resource could not be found.", "details": []},
            NotFound,
            [(None, None)],
        ),
        (404, {"error": "Requested resource could not be found."}, NotFound, [(None, None)]),
        (
            422,
            {"errno": 2001, "error": {"title": "field required", "__root__": "no"}},
            Refused,
            [("title", "2001"), ("__root__", "2001")],
        ),
        (
            400,
            {
                "errno": 422,
                "message": "semantic errors.",
                "details": ["event: Value error", "uri: a: b", "Nora is bad"],
            },
            Refused,
            [("event", "422"), ("uri", "422"), (None, "422")],
        ),
        (404, {"errno": 404, "message": "Requested resource could not be found."}, NotFound, [(None, "404")]),
        (
            400,
            {"errors": {"message": "Request failed", "status": 400, "details": [BUSINESS]}},
            Refused,
            [("name", None)],
        ),
        (
            400,
            {"error_type": "validation", "message": "no", "errors": [{"error_type": "missing", "field": "amount"}]},
            Refused,
            [("amount", "missing")],
        ),
        (404, {"error_type": "not_found", "message": "no"}, NotFound, [(None, "not_found")]),
        (
            422,
            {"error": "invalid_resource", "error_description": "Validation failed: .."},
            Refused,
            [(None, "invalid_resource")],
        ),
        (401, UNAUTHENTICATED, Unauthorized, None),
        (403, UNAUTHENTICATED, Unauthorized, None),
        (401, accounting({"errno": 1003, "field": "", "message": "could not verify"}), Unauthorized, None),
        (401, {"message": "The server could not verify that you are authorized"}, Unauthorized, None),
        (401, {"errno": 401, "message": "invalid_token: The request token failed"}, Unauthorized, None),
        (500, accounting({"errno": 500, "field": ""}), UnknownOutcome, None),
    ],
)
async def test_every_documented_error_is_decoded(
    status: int, body: dict[str, Any], error: type[ConnectorError], problems: list[tuple[str | None, str | None]] | None
) -> None:
    """S17."""
    api, _ = freshbooks(httpx.Response(status, json=body))
    with pytest.raises(error) as caught:
        await api.create_client({"fname": "Nora"})
    assert caught.type is error
    if isinstance(caught.value, Refused):
        assert [(each.field, each.code) for each in caught.value.problems] == problems


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (accounting({"errno": 12001, "field": "", "message": "upgrade"}), Forbidden),
        (accounting({"errno": 41101, "field": "", "message": "upgrade"}), Forbidden),
        (accounting({"errno": 1003, "field": "", "message": "Permission Denied"}), Forbidden),
        (accounting(UNKNOWN_CLIENT), NotFound),
        (accounting({"errno": 1001, "field": "clientid"}), Refused),
        ({"response": {"errors": {"errno": 1004, "field": "email"}}}, Refused),
        (grpc(5, "", "userid"), NotFound),
        (grpc(16, "", ""), Unauthorized),
        ({"code": 7, "message": "no", "details": []}, Forbidden),
        ({"errno": 429, "message": "slow down"}, RateLimited),
        (UNAUTHENTICATED, Unauthorized),
        (accounting({"errno": 500, "field": ""}), UnknownOutcome),
    ],
)
async def test_an_error_under_http_200_is_an_error(body: dict[str, Any], error: type[ConnectorError]) -> None:
    """S17: FreshBooks' own Python SDK takes these for empty results."""
    api, _ = freshbooks(httpx.Response(200, json=body))
    with pytest.raises(error) as caught:
        await api.create_client({"fname": "Nora"})
    assert caught.type is error


async def test_an_inner_failure_under_http_200_can_be_read_again() -> None:
    api, _ = freshbooks(httpx.Response(200, json=accounting({"errno": 500, "field": ""})))
    with pytest.raises(Unavailable):
        await api.get_client(330999)


async def test_the_error_names_field_and_code_but_no_value() -> None:
    said = {
        "errno": 1004,
        "field": "email",
        "message": "nora@quist.test is bad",
        "object": "client",
        "value": "nora@quist.test",
    }
    api, _ = freshbooks(httpx.Response(422, json=accounting(said)))
    with pytest.raises(Refused, match=r"refused to update client 330101 \(HTTP 422; email 1004\)") as caught:
        await api.update_client(330101, {"email": "nora@quist.test"})
    assert "nora" not in str(caught.value) + repr(caught.value.problems)
    assert caught.value.problems[0].message == "nora@quist.test is bad"


async def test_a_field_name_that_looks_like_a_value_is_left_out() -> None:
    api, _ = freshbooks(httpx.Response(422, json=accounting({"errno": "Nora Quist", "field": "nora@quist.test"})))
    with pytest.raises(Refused, match=r"\(HTTP 422\)") as caught:
        await api.update_client(330101, {"email": "x"})
    assert (caught.value.problems[0].field, caught.value.problems[0].code) == (None, None)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "response",
                    "errors",
                    "error",
                    "errno",
                    "details",
                    "metadata",
                    "message",
                    "reason",
                    "code",
                    "fieldViolations",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(status=st.sampled_from([200, 201, 400, 403, 422, 500]), body=ANY_JSON)
def test_no_body_however_odd_breaks_the_decoder_or_turns_a_refusal_into_a_yes(status: int, body: Any) -> None:
    verdict = judge(Answer(status, {}, httpx.Response(200, json=body).content))
    if status >= 400:
        assert verdict.status >= 400
    if isinstance(body, dict) and isinstance(body.get("response"), dict) and body["response"].get("errors"):
        assert verdict.status >= 400
