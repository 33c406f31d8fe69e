"""Faults on demand: rules that decide, by seed, which calls go wrong and how."""

import asyncio
import random
import re
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.responses import Response

from sandbox.background import Background
from sandbox.calls import Call, answer
from sandbox.ledger import VIA, Record
from sandbox.settings import Lag, bounds

Fault = Literal[
    "status",
    "latency",
    "cut_before",
    "commit_then_cut",
    "commit_then_status",
    "late_commit",
    "truncated",
    "malformed",
    "revoked_token",
    "ok_with_errors",
]


class CutConnection(Exception):
    """The connection is to be closed without an answer."""


class FaultRule(BaseModel):
    """Which calls go wrong, how, and how often. `fired` counts; `times` ends the rule, `probability` is per call. Of a
    pair of `seconds` each call draws its own.
    """

    model_config = ConfigDict(extra="forbid")

    id: int = 0
    method: str | None = None
    path: str = ""
    fault: Fault
    status: Annotated[int, Field(ge=100, le=599)] = 503
    headers: dict[str, str] = {}
    seconds: Lag = 0
    probability: Annotated[float, Field(ge=0, le=1)] = 1
    times: Annotated[int, Field(ge=0)] | None = None
    fired: int = 0

    @field_validator("path")
    @classmethod
    def _is_a_pattern(cls, path: str) -> str:
        try:
            re.compile(path)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return path

    def matches(self, call: Call) -> bool:
        """Return whether the rule is about this call and not used up."""
        spent = self.times is not None and self.fired >= self.times
        return not spent and self.method in {None, "*", call.method} and re.search(self.path, call.path) is not None


class Faults:
    """The fault rules of one stand-in.

    `failure` gives the body that the system sends with a status, `hidden_failure` what it sends as errors with 200,
    `revoke` ends the token of a call.
    """

    def __init__(
        self,
        seed: int,
        background: Background,
        failure: Callable[[int], Record],
        hidden_failure: Callable[[], Record],
        revoke: Callable[[Call], None],
    ) -> None:
        self.rules: list[FaultRule] = []
        self._seed, self._background = seed, background
        self._failure, self._hidden_failure, self._revoke = failure, hidden_failure, revoke
        self._random = random.Random(seed)  # noqa: S311 - chance that can be repeated is the point
        self._last_id = 0

    def add(self, rule: FaultRule) -> FaultRule:
        """Add a rule under an id of its own."""
        self._last_id += 1
        added = rule.model_copy(update={"id": self._last_id, "fired": 0})
        self.rules.append(added)
        return added

    def clear(self, rule_id: int | None = None) -> None:
        """Remove one rule, or all."""
        self.rules = [rule for rule in self.rules if rule_id not in {None, rule.id}]

    def reset(self) -> None:
        """Remove all rules and start chance anew."""
        self.rules, self._last_id = [], 0
        self._random.seed(self._seed)

    async def perform(self, call: Call, process: Callable[[], Response]) -> Response:
        """Process a call as the rules will have it: all latencies that fire, then the first other fault that fires.

        Raises CutConnection.
        """
        harm: FaultRule | None = None
        for rule in self.rules:
            if not rule.matches(call) or (harm and rule.fault != "latency"):
                continue
            if self._random.random() >= rule.probability:
                continue
            rule.fired += 1
            if rule.fault == "latency":
                await asyncio.sleep(self._seconds(rule))
            else:
                harm = rule
        return self._harmed(harm, call, process) if harm else process()

    def _harmed(self, rule: FaultRule, call: Call, process: Callable[[], Response]) -> Response:
        if rule.fault in {"status", "ok_with_errors", "cut_before", "late_commit"}:
            return self._unprocessed(rule, process)
        if rule.fault == "revoked_token":
            self._revoke(call)
        response = process()
        if rule.fault == "commit_then_cut":
            raise CutConnection
        if rule.fault == "commit_then_status":
            return self._refusal(rule)
        return _damaged(rule, response)

    def _unprocessed(self, rule: FaultRule, process: Callable[[], Response]) -> Response:
        if rule.fault == "status":
            return self._refusal(rule)
        if rule.fault == "ok_with_errors":
            return answer(self._hidden_failure())
        if rule.fault == "late_commit":
            self._background.start(_later(self._seconds(rule), process))
        raise CutConnection

    def _seconds(self, rule: FaultRule) -> float:
        least, most = bounds(rule.seconds)
        return least if least == most else self._random.uniform(least, most)

    def _refusal(self, rule: FaultRule) -> Response:
        return answer(self._failure(rule.status), rule.status, rule.headers)


def _damaged(rule: FaultRule, response: Response) -> Response:
    if rule.fault == "truncated":
        half = bytes(response.body)[: len(response.body) // 2]
        return Response(half, response.status_code, media_type=response.media_type)
    if rule.fault == "malformed":
        return Response("<html><body><h1>Something went wrong</h1></body></html>", 200, media_type="text/html")
    return response


async def _later(seconds: float, process: Callable[[], Response]) -> None:
    await asyncio.sleep(seconds)
    VIA.set("late")  # of this task alone: a task runs in a copy of the context
    process()
