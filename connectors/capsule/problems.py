"""How Capsule says no. Source: https://developer.capsulecrm.com/v2/overview/handling-api-responses"""

from typing import Any

from connectors.answers import Answer
from connectors.dialect import Dialect, Verdict
from connectors.errors import Problem, safe_word


def judge(answer: Answer) -> Verdict:
    """Believe the status; read the problems from any of the three shapes of error bodies."""
    return Verdict(answer.status, () if answer.ok else _problems(answer.json_or_none()))


def _problems(body: Any) -> tuple[Problem, ...]:
    if not isinstance(body, dict):
        return ()
    listed = body.get("errors")
    if isinstance(listed, list) and listed:
        return tuple(_problem(each) for each in listed if isinstance(each, dict))
    said = next((body[key] for key in ("message", "error_description", "error") if body.get(key)), "")
    return (Problem(message=str(said)),) if said else ()


def _problem(error: dict[str, Any]) -> Problem:
    named = [str(error[key]) for key in ("resource", "field") if error.get(key)]
    return Problem(field=safe_word(".".join(named)), message=str(error.get("message") or ""))


DIALECT = Dialect(system="capsule", title="Capsule", judge=judge, obeys_remaining=True)
"""Capsule counts 4,000 requests an hour per user and may block who goes on after that."""
