"""Refusals as Capsule words them. Source: https://developer.capsulecrm.com/v2/overview/handling-api-responses"""

from sandbox.calls import Refusal
from sandbox.ledger import Record

WORDS = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}


def failure(status: int) -> Record:
    """Return the body that comes with a status. That of 429 has a shape of its own."""
    if status == 429:
        return {"error": "rate limit reached"}
    return {"message": WORDS.get(status, "Something went wrong")}


def missing(what: str) -> Refusal:
    """Return the 404 for a record, a row or a reference inside a body."""
    return Refusal(404, {"message": f"{what} not found"})


def malformed(message: str) -> Refusal:
    """Return the 400 for a body that cannot be read."""
    return Refusal(400, {"message": message})


def forbidden(message: str) -> Refusal:
    """Return the 403 for a token that may not do this."""
    header = 'Bearer error="insufficient_scope"'
    return Refusal(403, {"message": message}, headers={"WWW-Authenticate": header})


def unauthorized() -> Refusal:
    """Return the 401 for a missing, unknown, expired or revoked token."""
    header = 'Bearer error="invalid_token", error_description="The access token is invalid or has expired"'
    return Refusal(401, {"message": "Authentication is required"}, headers={"WWW-Authenticate": header})


def invalid(message: str, resource: str, field: str) -> Refusal:
    """Return the 422 with one validation error."""
    error = {"message": message, "resource": resource, "field": field}
    return Refusal(422, {"message": "Validation Failed", "errors": [error]})
