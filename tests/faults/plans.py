"""How much goes wrong in a campaign, and how the installation is set up against it.

The settle time lies above the search lag plus the time by which a commit can be late: the installation promises that
nothing is written twice as long as that is so, and the campaign shows what the promise is worth.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

Break = Literal["no-look", "no-settle"]

POST_CLIENT: Mapping[str, str] = {"method": "POST", "path": "/users/clients$"}
GET_CLIENTS: Mapping[str, str] = {"method": "GET", "path": "/users/clients"}
ANSWER_CUT, LATE_COMMIT, UNAVAILABLE = "commit_then_cut", "late_commit", "status"
SEARCH_LAG, HOOK_COPIES, WORKER_KILLED = "search_lag", "hook_copies", "worker_killed"
FAULTS: Mapping[str, str] = {
    ANSWER_CUT: "creates that happened, answer cut",
    LATE_COMMIT: "creates that happened after we gave up",
    UNAVAILABLE: "searches answered 503, Retry-After 1 s",
    SEARCH_LAG: "looks of ours that a lagging search failed",
    HOOK_COPIES: "deliveries of webhooks",
    WORKER_KILLED: "workers killed",
}


@dataclass(frozen=True)
class Plan:
    """One campaign. Times are in seconds, shares are of the creates, pairs are from and to."""

    parties: int
    wave: int  # parties that are entered at once
    in_flight: int  # parties that may wait for their client at any time
    cut: float
    late: float
    late_by: tuple[float, float]
    search_lag: tuple[float, float]
    hook_copies: tuple[int, int]
    hook_delay: tuple[float, float]
    kill_every: float
    least_kills: int  # the faults go on until so many workers have been killed
    settle_time: float
    sweep_every: str
    deadline: float

    @property
    def connection(self) -> dict[str, Any]:
        """The settings of the connection."""
        return {
            "settle_time": f"{self.settle_time:g}s",
            "request_timeout": "10s",
            "clients": {
                "bulk_limit": 1_000_000,
                "direction": "to-books",
                "sweep_every": self.sweep_every,
                "default_currency": "EUR",
                "default_language": "en",
                "phone_region": "GB",
            },
        }

    def rules(self) -> list[dict[str, Any]]:
        """Return the sandbox's rules. Each fires exactly as often as planned, if enough requests come its way."""
        late, cut = round(self.late * self.parties), round(self.cut * self.parties)
        busy = max(5, self.parties // 100)
        unavailable = {"fault": UNAVAILABLE, "status": 503, "headers": {"Retry-After": "1"}, **GET_CLIENTS}
        rules: list[dict[str, Any]] = [
            {"fault": LATE_COMMIT, "seconds": self.late_by, **POST_CLIENT, **self._exactly(late)},
            {"fault": ANSWER_CUT, **POST_CLIENT, **self._exactly(cut)},
            {**unavailable, **self._exactly(busy)},
        ]
        return [rule for rule in rules if rule["times"]]

    def chance_of_not_finding(self, age: float) -> float:
        """Return how likely a search misses a record that is so many seconds old."""
        shortest, longest = self.search_lag
        if age < shortest or longest == shortest:
            return 1.0 if age < longest else 0.0
        return max(0.0, (longest - age) / (longest - shortest))

    def _exactly(self, times: int) -> dict[str, Any]:
        """Chance, three standard deviations above the rate so that it certainly suffices, and an end to it."""
        wanted = times + 3 * math.sqrt(times) + 3
        return {"times": times, "probability": min(1.0, wanted / self.parties)}


FULL = Plan(
    parties=10_000,
    wave=50,
    in_flight=120,
    cut=0.3,
    late=0.01,
    late_by=(0.5, 3.0),
    search_lag=(0.0, 10.0),
    hook_copies=(1, 5),
    hook_delay=(0.0, 5.0),
    kill_every=15.0,
    least_kills=2,
    settle_time=15.0,
    sweep_every="2m",
    deadline=0.0,
)
# What `make test` has time for. The waits are shorter, the shares are not.
SMALL = replace(
    FULL,
    parties=60,
    wave=10,
    in_flight=60,
    late=0.05,
    late_by=(0.5, 1.5),
    search_lag=(2.0, 2.0),
    hook_delay=(0.0, 1.0),
    kill_every=5.0,
    settle_time=4.5,
    sweep_every="1m",
)
# So much goes wrong that a system without one of its two safeguards must write twice, whatever chance says.
CONTROL = replace(SMALL, parties=20, wave=20, cut=0.6, late=0.0, search_lag=(3.0, 3.0), kill_every=0.0, least_kills=0)
SLOW, FAST = 2.0, 20.0  # creates per second, on a slow day and on a fast machine


def plan_for(parties: int, *, small: bool, broken: Break | None) -> Plan:
    """Return the plan for so many parties; the small ones have a size of their own unless `parties` says otherwise."""
    plan = (CONTROL if broken else SMALL) if small else FULL
    count = parties or plan.parties
    least = min(plan.least_kills, max(1, count // 30))  # a handful of parties is done before a second one comes
    kills = max(least, int(count / FAST / plan.kill_every)) if plan.kill_every else 0
    return replace(plan, parties=count, least_kills=kills, deadline=300 + count / SLOW)
