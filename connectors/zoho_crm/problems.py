"""How Zoho CRM says no: to a request as a whole, or to single records of a write, whatever the HTTP status.

Source: https://www.zoho.com/crm/developer/docs/api/v8/status-codes.html
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from connectors.answers import Answer
from connectors.dialect import Dialect, Verdict, refusal
from connectors.errors import ConnectorError, Locked, Problem, safe_word
from connectors.zoho import AUTH_SCHEME
from connectors.zoho_crm.models import Failed

# Who has used up the day's credits, and who sends too many requests at once, hear the same. The first is over within a
# day, the second within a second: asking every two minutes is late for neither, and costs no credits.
TOO_MANY_WAIT = timedelta(minutes=2)
LOCKED_WAIT = timedelta(hours=1)
"""How long to leave a record alone that a process or an approval in Zoho has closed: a person there has to act."""
LOCKED = {"RECORD_LOCKED", "NOT_APPROVED", "NOT_REVIEWED"}

RESULT_KEYS = ("data", "watch", "fields")
# What is wrong with a request as a whole stands under many statuses, and in writes even where records' results stand.
MEANINGS = {
    "INVALID_TOKEN": 401,
    "AUTHENTICATION_FAILURE": 401,
    "OAUTH_SCOPE_MISMATCH": 403,
    "NO_PERMISSION": 403,
    "INVALID_MODULE": 400,
    "INVALID_URL_PATTERN": 400,
    "TOO_MANY_REQUESTS": 429,
    "RATE_LIMIT_EXCEEDED": 429,
    "INTERNAL_ERROR": 500,
    "SERVICE_UNAVAILABLE": 503,
}
REMEDIES = {
    "OAUTH_SCOPE_MISMATCH": "connect again, and grant all rights that are asked for",
    "NO_PERMISSION": "give the connected user this permission in Zoho CRM, in the profile or by sharing the record",
    "INVALID_MODULE": "check that this edition of Zoho CRM has the module and that the user's profile shows it",
    "INVALID_URL_PATTERN": "check the address of the API in the settings",
    "EXPIRED_VALUE": "begin the list anew",
    "TOKEN_BOUND_DATA_MISMATCH": "begin the list anew",
    "ID_ALREADY_CONVERTED": "read what the lead became",
    **dict.fromkeys(
        ("MAPPING_MISMATCH", "DEPENDENT_MISMATCH", "DEPENDENT_FIELD_MISSING"),
        "choose a stage that the deal's own pipeline has, or move the deal to another pipeline, then retry",
    ),
    "DUPLICATE_DATA": "look at the record that has this value already, and link it or correct one of the two",
}
NO_SUCH_ID = re.compile(r"\bid given seems to be invalid", re.IGNORECASE)


def judge(answer: Answer) -> Verdict:
    """Look for an error before believing the status. Results of single records are left to whoever reads them."""
    if answer.status == 304:  # nothing has changed: as good as an empty list
        return Verdict(204)
    if answer.status >= 500:
        return Verdict(answer.status)
    body = answer.json_or_none()
    results = results_of(body)
    if results:
        return _of_results(answer, results)
    error = body if isinstance(body, dict) and "code" in body else {}
    if answer.ok and not _is_error(error):
        return Verdict(answer.status)
    return verdict_on(error, answer.status)


def _of_results(answer: Answer, results: list[dict[str, Any]]) -> Verdict:
    """Take a complaint about the request itself for what it is; otherwise the records' results count."""
    first, failed = results[0], all(_is_error(each) for each in results)
    if failed and all(each.get("code") in MEANINGS for each in results):
        return verdict_on(first, answer.status)
    if failed and answer.status in (401, 403, 404, 429):
        return verdict_on(first, answer.status)
    return Verdict(200)


def results_of(body: Any) -> list[dict[str, Any]]:
    """Return the results of the single records of a write, none for any other body."""
    for key in RESULT_KEYS if isinstance(body, dict) else ():
        found = body.get(key)
        if isinstance(found, list) and found and all(_is_result(each) for each in found):
            return found
    return []


def _is_result(each: Any) -> bool:
    return isinstance(each, dict) and "code" in each and each.get("status") in ("success", "error")


def _is_error(said: Mapping[str, Any]) -> bool:
    return said.get("status") == "error" and "code" in said


def verdict_on(error: Mapping[str, Any], status: int) -> Verdict:
    """Return what an error means, by its code before its status."""
    problems = problems_of(error) if error else ()
    code = problems[0].code if problems else None
    remedy = REMEDIES.get(code or "")
    return Verdict(meaning(error, status), problems, remedy=remedy, unsaid_wait=TOO_MANY_WAIT)


def meaning(error: Mapping[str, Any], status: int) -> int:
    """Return the status that an error stands for.

    A record that is not there is answered with 204, or by name. So 404 is about the address: nothing was deleted.
    """
    code, details = error.get("code"), error.get("details")
    if isinstance(code, str) and code in MEANINGS:
        return MEANINGS[code]
    if code == "NOT_SUBSCRIBED" or (code == "INVALID_DATA" and _names_no_record(error, details)):
        return 404
    return 400 if status < 300 or status == 404 else status


def _names_no_record(error: Mapping[str, Any], details: Any) -> bool:
    # The refusal to delete what is not there shows the id and no field.
    return bool(NO_SUCH_ID.search(str(error.get("message") or ""))) or (
        isinstance(details, dict) and set(details) == {"id"}
    )


def problems_of(error: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Return what an error complains about: one thing, or several with `MULTIPLE_OR_MULTI_ERRORS`."""
    details = error.get("details")
    inner = details.get("errors") if isinstance(details, dict) else None
    several = [_problem(each) for each in inner if isinstance(each, dict)] if isinstance(inner, list) else []
    return tuple(several) or (_problem(error),)


def _problem(error: Mapping[str, Any]) -> Problem:
    details = error.get("details")
    field = _place(details) if isinstance(details, dict) else None
    return Problem(field, safe_word(error.get("code")), str(error.get("message") or ""))


def _place(details: Mapping[str, Any]) -> str | None:
    """Return the field, parameter or permission that an error is about."""
    permissions = details.get("permissions")
    first = permissions[0] if isinstance(permissions, list) and permissions else None
    named = [details.get(key) for key in ("api_name", "param_name", "column_name")]
    return next((word for word in map(safe_word, [*named, first]) if word), None)


def failure(doing: str, failed: Failed, *, repeatable: bool) -> ConnectorError:
    """Return the error for one record that was not written, named by what helps. `doing` is as in `Request`."""
    if failed.code in LOCKED:
        text = f"Zoho CRM did not {doing}, because the record is closed to changes there ({failed.code})"
        remedy = "unlock, review or approve it in Zoho CRM; we try again in an hour"
        return Locked(DIALECT.system, f"{text}: {remedy}", LOCKED_WAIT)
    verdict = Verdict(failed.meaning, failed.problems, REMEDIES.get(failed.code or ""), TOO_MANY_WAIT)
    return refusal(DIALECT, doing, verdict, Answer(failed.status, {}, b""), repeatable=repeatable)


DIALECT = Dialect(system="zoho_crm", title="Zoho CRM", judge=judge, auth_scheme=AUTH_SCHEME)
