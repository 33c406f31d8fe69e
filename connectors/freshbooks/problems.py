"""How FreshBooks says no: eight shapes of error bodies, some of them under HTTP 200.

Source: https://www.freshbooks.com/api/errors
"""

from typing import Any

from connectors.answers import Answer
from connectors.dialect import Dialect, Verdict
from connectors.errors import Problem, Refused, safe_word

# Codes that mean more than their HTTP status says. 12001, 31001, 41001, 41101: the plan lacks items, vendors, bills.
MEANINGS = {
    401: {"unauthenticated", "unauthorized", "invalid_token", "401", "grpc 16"},
    403: {"forbidden", "1003", "1038", "403", "grpc 7", "12001", "31001", "41001", "41101"},
    404: {"not_found", "1012", "404", "grpc 5"},
    429: {"429"},
    500: {"500", "grpc 13", "grpc 14"},
}
# FreshBooks does not publish which code a number has that is taken. These are the ones that mean something else.
NOT_TAKEN = {"1001", "1012", "1017", "1024", "1027", "1036"}
NUMBERS = {"invoice_number", "estimate_number"}
SIGNS_OF_ERROR = ("errno", "error", "errors", "error_type", "details", "code")


class TakenNumber(Problem):
    """Another document of the account has this number, perhaps a deleted one."""


class NumberTaken(Refused):
    """The document's number belongs to another one, so nothing was written: look who has it."""


def judge(answer: Answer) -> Verdict:
    """Look for an error before believing the status. Never raises, whatever the body holds."""
    body = answer.json_or_none()
    if answer.ok and not _is_error(body):
        return Verdict(answer.status)
    problems = _problems(body)
    if answer.ok:
        meaning = _meaning(body, problems)
        return Verdict(meaning, _taken(meaning, problems))
    # A dead token was seen with 403 as well; the remedy is that of 401.
    dead = answer.status == 403 and any(problem.code == "unauthenticated" for problem in problems)
    return Verdict(401 if dead else answer.status, _taken(answer.status, problems))


def _taken(status: int, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Return the problems with those marked that mean a number which is taken: by field and status."""
    if status not in (409, 422):
        return problems
    return tuple(
        TakenNumber(each.field, each.code, each.message)
        if each.field in NUMBERS and each.code not in NOT_TAKEN
        else each
        for each in problems
    )


def _is_error(body: Any) -> bool:
    if not isinstance(body, dict):
        return False
    inner = body.get("response")
    if inner is not None:
        return isinstance(inner, dict) and bool(inner.get("errors"))
    return any(body.get(sign) for sign in SIGNS_OF_ERROR)


def _meaning(body: Any, problems: tuple[Problem, ...]) -> int:
    """Return the status that an error under HTTP 200 should have had."""
    codes = {problem.code for problem in problems} | {f"grpc {body.get('code')}"}
    return next((status for status, known in MEANINGS.items() if known & codes), 422)


def _problems(body: Any) -> tuple[Problem, ...]:
    """Decode in the order that tells all shapes apart: the most specific first."""
    if not isinstance(body, dict):
        return ()
    found = _of_response(body) or _of_metadata(body.get("details")) or _of_business(body) or _of_fields(body)
    return tuple(found or _of_words(body))


def _of_response(body: dict[str, Any]) -> list[Problem]:
    """`{"response": {"errors": [{"errno", "field", "message", …}]}}`; long ago one object instead of the list."""
    inner = body.get("response")
    errors = inner.get("errors") if isinstance(inner, dict) else None
    listed = [errors] if isinstance(errors, dict) else errors
    return [_problem(each, each.get("field"), each.get("errno")) for each in _dicts(listed)]


def _of_metadata(details: Any) -> list[Problem]:
    """`details[]` of gRPC: the errno as `reason` beside `metadata`, or `fieldViolations`."""
    listed = _dicts(details)
    told = [(each["metadata"], each.get("reason")) for each in listed if isinstance(each.get("metadata"), dict)]
    violations = [violation for each in listed for violation in _dicts(each.get("fieldViolations"))]
    return [_problem(metadata, metadata.get("field"), reason) for metadata, reason in told] + [
        Problem(safe_word(each.get("field")), None, str(each.get("description") or "")) for each in violations
    ]


def _of_business(body: dict[str, Any]) -> list[Problem]:
    """`errors` as an object with gRPC-like details, or as the list of the online payments family."""
    errors = body.get("errors")
    if isinstance(errors, dict):
        # `reason` is a sentence in this family, and a sentence can quote a value: no code.
        return [Problem(each.field, None, each.message) for each in _of_metadata(errors.get("details"))]
    return [_problem(each, each.get("field"), each.get("error_type")) for each in _dicts(errors)]


def _of_fields(body: dict[str, Any]) -> list[Problem]:
    """`errno` with an `error` for each field, or with a list of `"field: text"`."""
    code = body.get("errno")
    if code is None:
        return []
    if isinstance(body.get("error"), dict):
        return [Problem(safe_word(name), safe_word(code), str(text)) for name, text in body["error"].items()]
    details = body.get("details")
    lines = [each for each in details if isinstance(each, str)] if isinstance(details, list) else []
    found = [Problem(safe_word(line.partition(":")[0]), safe_word(code), line) for line in lines]
    return found or [_problem(body, None, code)]


def _of_words(body: dict[str, Any]) -> list[Problem]:
    """`{"error", "error_description"}`, `{"error_type", "message"}`, or nothing but a `message`."""
    error = body.get("error")
    code = safe_word(body.get("error_type") or error)  # a sentence is no word, and no code
    message = body.get("error_description") or body.get("message") or error or ""
    return [Problem(None, code, str(message))] if message or code else []


def _problem(said: dict[str, Any], field: Any, code: Any) -> Problem:
    return Problem(safe_word(field), safe_word(code), str(said.get("message") or ""))


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


DIALECT = Dialect(system="freshbooks", title="FreshBooks", judge=judge)
"""`X-RateLimit-Remaining: 0` and `Retry-After` stand on successes too and mean nothing there."""
