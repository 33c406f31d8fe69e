"""Every documented way in which Zoho CRM says no: to a request, and to single records under any HTTP status."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.answers import Answer
from connectors.errors import (
    ConnectorError,
    Forbidden,
    Locked,
    NotFound,
    RateLimited,
    Refused,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
)
from connectors.zoho_crm.models import Failed, Saved
from connectors.zoho_crm.problems import failure, judge
from tests.connectors.answering import zoho_crm

ADA_ID = "4876876000000412001"
ROWS = [{"Last_Name": "Okafor"}, {"Last_Name": "Lindqvist"}]
SAVED = {"code": "SUCCESS", "details": {"id": ADA_ID}, "message": "record added", "status": "success"}


def error(code: str, message: str = "no", **details: Any) -> dict[str, Any]:
    return {"code": code, "details": details, "message": message, "status": "error"}


def bare(status: int, code: str, message: str = "no", **details: Any) -> httpx.Response:
    return httpx.Response(status, json=error(code, message, **details))


def results(status: int, *items: dict[str, Any]) -> httpx.Response:
    return httpx.Response(status, json={"data": list(items)})


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (bare(400, "REQUIRED_PARAM_MISSING", param_name="fields"), Refused, "fields REQUIRED_PARAM_MISSING"),
        (bare(400, "LIMIT_EXCEEDED", limit=50, param_name="fields"), Refused, "fields LIMIT_EXCEEDED"),
        (bare(400, "INVALID_DATA", param_name="sort_by"), Refused, "sort_by INVALID_DATA"),
        (bare(400, "INVALID_MODULE", resource_path_index=0), Refused, "check that this edition"),
        (bare(404, "INVALID_MODULE"), Refused, "check that this edition"),
        (bare(404, "INVALID_URL_PATTERN"), Refused, "check the address of the API"),
        (bare(400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", limit=2000), Refused, "DISCRETE_PAGINATION"),
        (bare(400, "PAGINATION_LIMIT_EXCEEDED", limit=100000), Refused, "PAGINATION_LIMIT_EXCEEDED"),
        (bare(400, "EXPIRED_VALUE", api_name="page_token"), Refused, "page_token EXPIRED_VALUE.*: begin the list anew"),
        (bare(400, "TOKEN_BOUND_DATA_MISMATCH"), Refused, "begin the list anew"),
        (bare(400, "AMBIGUITY_DURING_PROCESSING", ambiguity_due_to=[]), Refused, "AMBIGUITY_DURING_PROCESSING"),
        (bare(400, "PATTERN_NOT_MATCHED"), Refused, "PATTERN_NOT_MATCHED"),
        (bare(400, "SYNTAX_ERROR", near="Okafor"), Refused, "SYNTAX_ERROR"),
        (bare(400, "INVALID_QUERY", column_name="Emial", reason="x"), Refused, "Emial INVALID_QUERY"),
        (bare(412, "ALREADY_MODIFIED"), Refused, "ALREADY_MODIFIED"),
        (bare(401, "INVALID_TOKEN"), Unauthorized, "refresh the access token, or connect again"),
        (bare(401, "AUTHENTICATION_FAILURE"), Unauthorized, "AUTHENTICATION_FAILURE"),
        (bare(400, "INVALID_TOKEN"), Unauthorized, "INVALID_TOKEN"),
        (httpx.Response(401), Unauthorized, "HTTP 401"),
        (bare(401, "OAUTH_SCOPE_MISMATCH"), Forbidden, "connect again, and grant all rights"),
        (bare(403, "OAUTH_SCOPE_MISMATCH"), Forbidden, "connect again, and grant all rights"),
        (bare(403, "NO_PERMISSION", permissions=["Crm_Implied_View_Leads"]), Forbidden, "Crm_Implied_View_Leads"),
        (bare(403, "SOMETHING_NEW"), Forbidden, "role, the scopes and the plan"),
        (bare(429, "TOO_MANY_REQUESTS"), RateLimited, "wait 120 s"),
        (bare(429, "RATE_LIMIT_EXCEEDED"), RateLimited, "wait 120 s"),
        (bare(200, "TOO_MANY_REQUESTS"), RateLimited, "wait 120 s"),
        (httpx.Response(429), RateLimited, "wait 120 s"),
        (bare(500, "INTERNAL_ERROR"), Unavailable, "HTTP 500"),
        (bare(502, "SERVICE_UNAVAILABLE"), Unavailable, "HTTP 502"),
        (bare(503, "SERVICE_UNAVAILABLE"), Unavailable, "HTTP 503"),
        (bare(200, "INVALID_DATA"), Refused, "INVALID_DATA"),
        (httpx.Response(404, text="<html>"), Refused, "HTTP 404"),
        (httpx.Response(302), Unavailable, "HTTP 302"),
    ],
    ids=lambda value: value.text[:50] if isinstance(value, httpx.Response) else getattr(value, "__name__", str(value)),
)
async def test_a_list_that_fails_says_what_helps(answer: httpx.Response, kind: type[ConnectorError], text: str) -> None:
    """S17: by its code before its HTTP status."""
    api, _ = zoho_crm(answer)
    with pytest.raises(kind, match=text) as caught:
        await api.list_records("Contacts", ["Email"])
    assert caught.type is kind


@pytest.mark.parametrize("message", ["the id given seems to be invalid", "the related id given seems to be invalid"])
async def test_an_id_of_another_module_is_not_found(message: str) -> None:
    api, _ = zoho_crm(bare(400, "INVALID_DATA", message))
    with pytest.raises(NotFound):
        await api.get_record("Contacts", ADA_ID)


async def test_a_wrong_address_is_no_deleted_record() -> None:
    """F35: a gateway's 404 must not archive a client."""
    api, _ = zoho_crm(httpx.Response(404), bare(404, "INVALID_URL_PATTERN"))
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            await api.get_record("Contacts", ADA_ID)
        assert not isinstance(caught.value, NotFound)


async def test_a_limit_that_names_its_time_is_believed_and_keeps_everything_back() -> None:
    """F33: and so does one that names none."""
    api, script = zoho_crm(httpx.Response(429, headers={"Retry-After": "30"}))
    with pytest.raises(RateLimited) as caught:
        await api.get_record("Contacts", ADA_ID)
    assert caught.value.retry_after == timedelta(seconds=30)
    with pytest.raises(RateLimited, match="asked us to wait"):
        await api.get_record("Contacts", ADA_ID)
    assert len(script.sent) == 1


@pytest.mark.parametrize("status", [200, 202, 207, 400])
async def test_results_of_records_count_whatever_the_status_says(status: int) -> None:
    """That all failed was seen with 200, 202 and 400."""
    wrong = error("INVALID_DATA", api_name="Email", json_path="$.data[0].Email", expected_data_type="email")
    api, _ = zoho_crm(results(status, wrong, error("MANDATORY_NOT_FOUND", api_name="Last_Name")))
    found = await api.insert("Contacts", ROWS)
    assert [(each.code, each.field) for each in found if isinstance(each, Failed)] == [
        ("INVALID_DATA", "Email"),
        ("MANDATORY_NOT_FOUND", "Last_Name"),
    ]


async def test_a_duplicate_names_the_record_that_is_there() -> None:
    """F1: a create that met its own earlier attempt adopts that one's record."""
    said = error("DUPLICATE_DATA", "duplicate data", api_name="FreshBooks_ID", id=ADA_ID, more_records=False)
    elsewhere = error("DUPLICATE_DATA", api_name="Email", duplicate_record={"id": ADA_ID, "module": {"id": "1"}})
    api, _ = zoho_crm(results(207, said, elsewhere))
    found = await api.insert("Contacts", ROWS)
    assert [(each.field, each.duplicate_id) for each in found if isinstance(each, Failed)] == [
        ("FreshBooks_ID", ADA_ID),
        ("Email", ADA_ID),
    ]


async def test_several_mistakes_in_one_record_are_all_told() -> None:
    inner = [error("INVALID_DATA", api_name="Email"), error("INVALID_DATA", api_name="Phone")]
    api, _ = zoho_crm(results(207, error("MULTIPLE_OR_MULTI_ERRORS", errors=inner), SAVED))
    bad, good = await api.insert("Contacts", ROWS)
    assert isinstance(bad, Failed)
    assert [each.field for each in bad.problems] == ["Email", "Phone"]
    assert isinstance(good, Saved)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (results(400, error("INVALID_MODULE")), Refused),
        (results(401, error("INVALID_TOKEN")), Unauthorized),
        (results(401, error("OAUTH_SCOPE_MISMATCH")), Forbidden),
        (results(403, error("NO_PERMISSION", permissions=["Crm_Implied_Create_Contacts"])), Forbidden),
        (results(403, error("SOMETHING_NEW")), Forbidden),
        (results(429, error("TOO_MANY_REQUESTS")), RateLimited),
        (results(200, error("INTERNAL_ERROR"), error("INTERNAL_ERROR")), UnknownOutcome),
        (results(500, error("INTERNAL_ERROR"), error("INTERNAL_ERROR")), UnknownOutcome),
    ],
)
async def test_a_complaint_about_the_whole_write_is_one_even_among_results(
    answer: httpx.Response, kind: type[ConnectorError]
) -> None:
    api, _ = zoho_crm(answer)
    with pytest.raises(kind) as caught:
        await api.insert("Contacts", ROWS)
    assert caught.type is kind


async def test_one_complaint_for_many_records_is_that_of_each() -> None:
    api, _ = zoho_crm(results(400, error("LIMIT_EXCEEDED", maximum_length=100, api_name="data")))
    found = await api.insert("Contacts", ROWS)
    assert [each.code for each in found if isinstance(each, Failed)] == ["LIMIT_EXCEEDED", "LIMIT_EXCEEDED"]


async def failure_of(said: dict[str, Any], *, repeatable: bool = True) -> ConnectorError:
    api, _ = zoho_crm(results(207, said, SAVED))
    failed, _ = await api.update("Contacts", [{"id": "1", "Email": "x"}, {"id": "2", "Email": "y"}])
    assert isinstance(failed, Failed)
    return failure("update Contacts 1", failed, repeatable=repeatable)


@pytest.mark.parametrize("code", ["RECORD_LOCKED", "NOT_APPROVED", "NOT_REVIEWED"])
async def test_a_record_that_waits_for_an_approval_is_tried_again_in_an_hour(code: str) -> None:
    caught = await failure_of(error(code))
    assert isinstance(caught, Locked)
    assert caught.retry_after == timedelta(hours=1)
    assert f"update Contacts 1, because the record is closed to changes there ({code})" in str(caught)


@pytest.mark.parametrize(
    ("said", "kind", "text"),
    [
        (error("INVALID_DATA", api_name="Email"), Refused, "Email INVALID_DATA"),
        (error("DEPENDENT_MISMATCH", api_name="Stage"), Refused, "Stage DEPENDENT_MISMATCH"),
        (error("NOT_ALLOWED"), Refused, "NOT_ALLOWED"),
        (error("DUPLICATE_DATA", api_name="Email", id="7"), Refused, "has this value already"),
        (error("INVALID_DATA", "the id given seems to be invalid", api_name="id"), NotFound, "it is deleted, merged"),
        (error("INVALID_DATA", "record not deleted", id="7"), NotFound, "it is deleted, merged"),
        (error("NO_PERMISSION"), Forbidden, "give the connected user this permission"),
        (error("INTERNAL_ERROR"), Unavailable, "trying again later is safe"),
    ],
)
async def test_what_happened_to_one_record_is_named_by_what_helps(
    said: dict[str, Any], kind: type[ConnectorError], text: str
) -> None:
    caught = await failure_of(said)
    assert type(caught) is kind
    assert text in str(caught)
    assert "update Contacts 1" in str(caught)


async def test_an_accident_of_zohos_with_one_new_record_leaves_open_whether_it_is_there() -> None:
    """F1."""
    assert isinstance(await failure_of(error("INTERNAL_ERROR"), repeatable=False), UnknownOutcome)


async def test_what_zoho_says_in_its_own_words_is_kept_out_of_texts() -> None:
    """S17: it may quote a value."""
    caught = await failure_of(error("INVALID_DATA", "Ada Okafor is no email address", api_name="Email; Ada"))
    assert isinstance(caught, Refused)
    assert caught.problems[0].message == "Ada Okafor is no email address"
    assert "Ada" not in f"{caught}{caught.problems}"


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["error", "success", "INVALID_TOKEN", "INVALID_DATA"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "watch", "code", "status", "details", "errors", "message", "api_name", "id"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(ANY_JSON, st.sampled_from([200, 201, 207, 304, 400, 401, 403, 404, 429, 500]))
def test_no_body_is_worse_than_a_verdict(said: Any, status: int) -> None:
    body = httpx.Response(200, json=said).content
    assert 200 <= judge(Answer(status, {}, body)).status < 600
