"""How a system says no, and which error follows from it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from connectors.answers import Answer, wait_said
from connectors.errors import (
    ConnectorError,
    Forbidden,
    NotFound,
    Problem,
    RateLimited,
    Refused,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
)

UNSAID_WAIT = timedelta(seconds=60)
"""How long to wait after a 429 that does not say."""
CHECK_RIGHTS = "check the user's role, the scopes and the plan"


@dataclass(frozen=True)
class Verdict:
    """What an answer means: the status to act on (below 300: yes), and what the system complained about."""

    status: int
    problems: tuple[Problem, ...] = ()
    remedy: str | None = None
    """What helps, where that is known better than from the status."""
    unsaid_wait: timedelta = UNSAID_WAIT
    """How long a 429 means, if its headers do not say."""


@dataclass(frozen=True)
class Dialect:
    """One system's way of saying no. `title` is its name for people."""

    system: str
    title: str
    judge: Callable[[Answer], Verdict]
    auth_scheme: str = "Bearer"
    """What stands before the token in `Authorization`."""
    obeys_remaining: bool = False
    """Whether `X-RateLimit-Remaining: 0` on a success means that the next request would be refused."""
    remedy: str = "correct the record or the mapping, then try again"
    """What helps against a refusal that has no better known cause."""


def wait_after(verdict: Verdict, answer: Answer) -> timedelta:
    """Return how long to wait after an answer that means "too many"."""
    return wait_said(answer.headers) or verdict.unsaid_wait


def refusal(dialect: Dialect, doing: str, verdict: Verdict, answer: Answer, *, repeatable: bool) -> ConnectorError:
    """Return the error for an answer that is no success, named by what helps."""
    said = f"{dialect.title} refused to {doing} ({_describe(answer, verdict)})"
    if verdict.status in (425, 429):
        return _not_yet(dialect, said, verdict, answer)
    # 408 also comes from proxies that had passed the request on: like 5xx, it does not prove that nothing happened.
    if verdict.status >= 500 or verdict.status < 400 or verdict.status == 408:
        wait = wait_said(answer.headers) if verdict.status == 503 else None
        return lost(dialect, doing, _describe(answer, verdict), repeatable=repeatable, wait=wait)
    return _final(dialect, said, verdict)


def _not_yet(dialect: Dialect, said: str, verdict: Verdict, answer: Answer) -> ConnectorError:
    if verdict.status == 425:  # "too early": the server did not dare to look at it
        return Unavailable(dialect.system, f"{said}: trying again later is safe", wait_said(answer.headers))
    wait = wait_after(verdict, answer)
    return RateLimited(dialect.system, f"{said}: wait {wait.total_seconds():.0f} s", wait)


def _final(dialect: Dialect, said: str, verdict: Verdict) -> ConnectorError:
    system, problems, remedy = dialect.system, verdict.problems, verdict.remedy
    match verdict.status:
        case 401:
            return Unauthorized(system, f"{said}: refresh the access token, or connect again")
        case 403:
            return Forbidden(system, f"{said}: {remedy or CHECK_RIGHTS}", problems)
        case 404:
            return NotFound(system, f"{said}: it is deleted, merged, or not visible to this connection", problems)
    return Refused(system, f"{said}: {remedy or dialect.remedy}", problems)


def lost(
    dialect: Dialect, doing: str, reason: str, *, repeatable: bool, wait: timedelta | None = None
) -> ConnectorError:
    """Return the error for a request that was sent and whose result we do not know."""
    start = f"{dialect.title} did not answer clearly to a request to {doing} ({reason})"
    if repeatable:
        return Unavailable(dialect.system, f"{start}: trying again later is safe", wait)
    return UnknownOutcome(dialect.system, f"{start}: it may have happened, so look before trying again")


def _describe(answer: Answer, verdict: Verdict) -> str:
    words = [" ".join(filter(None, (problem.field, problem.code))) for problem in verdict.problems[:10]]
    return "; ".join(filter(None, [f"HTTP {answer.status}", *words]))
