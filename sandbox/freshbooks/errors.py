"""Refusals as FreshBooks words them, one style for each family of addresses.

Source: https://www.freshbooks.com/api/errors
"""

from collections.abc import Mapping

from sandbox.calls import Refusal
from sandbox.ledger import Record

ACCOUNTING, EVENTS, AUTH, BUSINESS = "accounting", "events", "auth", "business"
GRPC_CODES = {401: 16, 403: 7, 404: 5}
WORDS = {429: "Too many requests.", 500: "Internal server error.", 502: "Bad gateway.", 503: "Service unavailable."}
UNPROCESSABLE = "The request was well-formed but was unable to be followed due to semantic errors."


def failure(status: int) -> Record:
    """Return the body that comes with an outage or a full quota (not recorded: a decision of the sandbox)."""
    return {"message": WORDS.get(status, "Something went wrong.")}


def hidden_failure() -> Record:
    """Return an error as it comes with status 200."""
    return _envelope(500, "An unexpected error occurred.", "", "", "")


def feature_gate() -> Record:
    """Return what an account hears whose plan lacks the feature; it comes with status 200."""
    return _envelope(12001, "This feature is not available on your plan.", "", "", "")


def refused(
    errno: int, message: str, field: str = "", thing: str = "client", *, value: object = "", status: int = 422
) -> Refusal:
    """Return a refusal of the accounting family."""
    return Refusal(status, _envelope(errno, message, field, thing, str(value)), ACCOUNTING)


def unknown(thing: str, field: str, record_id: object) -> Refusal:
    """Return the 404 for a record that a path or a field names."""
    return refused(1012, f"{thing.capitalize()} not found.", field, thing, value=record_id, status=404)


def unknown_client(client_id: object) -> Refusal:
    """Return the 404 for a client."""
    return unknown("client", "userid", client_id)


def unknown_account(account_id: str) -> Refusal:
    """Return the 404 for an account id that is unknown, or an id of another kind."""
    return unknown("account", "accountid", account_id)


def denied(family: str) -> Refusal:
    """Return the 403 for a token or a role that may not do this."""
    if family == EVENTS:
        return Refusal(403, {"errno": 403, "message": "Permission Denied"}, EVENTS)
    if family == BUSINESS:
        return Refusal(403, {"message": "Permission Denied"}, BUSINESS)
    return refused(1003, "Permission Denied", "", "", status=403)


def unauthenticated(family: str) -> Refusal:
    """Return the 401 for a missing, unknown, expired or revoked token."""
    if family == EVENTS:
        text = "invalid_token: The request token failed to authenticate or validate."
        return Refusal(401, {"errno": 401, "message": text}, EVENTS)
    text = "This action requires authentication to continue."
    return Refusal(401, {"error": "unauthenticated", "error_description": text}, AUTH)


def unknown_callback() -> Refusal:
    """Return the 404 of the events family."""
    return Refusal(404, {"errno": 404, "message": "Requested resource could not be found."}, EVENTS)


def invalid_callback(*details: str) -> Refusal:
    """Return the refusal of a callback: status 400 although errno says 422. A detail reads `field: text`."""
    return Refusal(400, {"errno": 422, "message": UNPROCESSABLE, "details": list(details)}, EVENTS)


def missing() -> Refusal:
    """Return the 404 of the business families, which does not say what is missing."""
    return Refusal(404, {"error": "Requested resource could not be found."}, BUSINESS)


def invalid(wrong: Mapping[str, str]) -> Refusal:
    """Return the 422 of the business families, by field; `__root__` is about the whole record."""
    return Refusal(422, {"errno": 2001, "error": dict(wrong)}, BUSINESS)


def internal() -> Refusal:
    """Return what a change of a project without its title is answered; the status was not recorded."""
    return Refusal(500, {"error": "An internal error has occurred."}, BUSINESS)


def unreadable() -> Refusal:
    """Return what the business families say to a body that is no JSON (not recorded: a decision of the sandbox)."""
    return Refusal(400, {"message": "The request body could not be parsed."}, BUSINESS)


def grpc_style(refusal: Refusal) -> Record:
    """Return the body of a refusal as accounting and events wrote it for some years."""
    code = GRPC_CODES.get(refusal.status, 3)
    if refusal.family == EVENTS:
        pairs = [detail.split(": ", 1) for detail in refusal.body.get("details", [])]
        found = [{"field": field, "description": text.removeprefix("Value error, ")} for field, text in pairs]
        violations = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": found}
        message = "Invalid data in this request." if found else refusal.body["message"]
        return {"code": code, "message": message, "details": [violations] if found else []}
    details = [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": str(error["errno"]),
            "domain": "accounting.api.freshbooks.com",
            "metadata": {key: error[key] for key in ("object", "message", "value", "field")},
        }
        for error in refusal.body["response"]["errors"]
    ]
    return {"code": code, "message": f"Request failed with status_code: {refusal.status}", "details": details}


def _envelope(errno: int, message: str, field: str, thing: str, value: str) -> Record:
    error = {"errno": errno, "field": field, "message": message, "object": thing, "value": value}
    return {"response": {"errors": [error]}}
