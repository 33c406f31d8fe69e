"""Refusals and results as Zoho CRM words them.

Source: https://www.zoho.com/crm/developer/docs/api/v8/status-codes.html
"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from sandbox.calls import Refusal, answer
from sandbox.ledger import Record

MEDIA = "application/json;charset=UTF-8"

WORDS = {
    401: ("INVALID_TOKEN", "invalid oauth token"),
    403: ("NO_PERMISSION", "permission denied"),
    404: ("INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one"),
    405: ("INVALID_REQUEST_METHOD", "The http request method type is not a valid one"),
    429: ("TOO_MANY_REQUESTS", "too many requests. please try again after some time"),
    502: ("SERVICE_UNAVAILABLE", "Service unavailable. Please try again later."),
    503: ("SERVICE_UNAVAILABLE", "Service unavailable. Please try again later."),
}


def said(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response with the media type that Zoho writes."""
    return answer(body, status, headers, MEDIA)


def nothing(status: int = 204) -> Response:
    """Return the answer to a look that finds nothing: no body, and nothing that says JSON."""
    return Response(status_code=status)


def error(code: str, message: str, **details: Any) -> Record:
    """Return an error, which stands alone or in the place of a record's result."""
    return {"code": code, "details": details, "message": message, "status": "error"}


def refused(code: str, message: str, status: int = 400, **details: Any) -> Refusal:
    """Return a refusal of one record, or of a whole call."""
    return Refusal(status, error(code, message, **details))


def success(message: str, **details: Any) -> Record:
    """Return the result of one record that was written."""
    return {"code": "SUCCESS", "details": details, "message": message, "status": "success"}


def failure(status: int) -> Record:
    """Return the body that comes with a status."""
    code, message = WORDS.get(status, ("INTERNAL_ERROR", "Internal Server Error"))
    return error(code, message)


def hidden_failure() -> Record:
    """Return an error as it comes with 200."""
    return failure(500)


def invalid(api_name: str, place: str, status: int = 400, message: str = "invalid data", **why: Any) -> Refusal:
    """Return the refusal of one value. `place` is the path of its record, `$.data[0]`."""
    return refused("INVALID_DATA", message, status, **why, api_name=api_name, json_path=f"{place}.{api_name}")


def bad_parameter(name: str, message: str = "invalid data", **why: Any) -> Refusal:
    """Return the refusal of a parameter in the query."""
    return refused("INVALID_DATA", message, param_name=name, **why)


def missing_parameter(name: str) -> Refusal:
    """Return the refusal of a call that lacks a parameter."""
    return refused("REQUIRED_PARAM_MISSING", "required param is missing", param_name=name)


def unknown_id(place: str, status: int = 400) -> Refusal:
    """Return the refusal of a record that is not there."""
    return invalid("id", place, status, "the id given seems to be invalid")
