"""A worker that dies between two steps of a write: at every such place, of a create and of an update.

The worker really dies, as a process. Another takes over, and in the end nothing is lost and nothing is there twice.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest

from activities.crash_points import VARIABLE
from starters.demo.sides import until
from store.audit import AuditLine
from tests.faults.judge import Finding, Ledger, judged
from tests.faults.plans import SMALL
from tests.faults.rig import Rig, running

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(300)]

# In each round one worker dies twice: in the middle of a create, and, started again, in the middle of an update.
ROUNDS: Sequence[tuple[str, str]] = (
    ("after-mark", "before-put"),
    ("after-post", "after-put"),
    ("after-confirm", "after-confirm"),
)
PATIENCE = 90.0
ALL_ROWS = 1000


@dataclass(frozen=True)
class Aftermath:
    """What stands in the ledger and in the audit log once everything has come to rest."""

    ledger: Ledger
    audit: Sequence[AuditLine]
    wrong: Sequence[Finding]
    held: Sequence[str]
    deaths: Sequence[list[str]]

    def clients(self, name: str) -> list[str]:
        """Return the ids of the clients of this last name."""
        return [str(client["id"]) for client in self.ledger.living if client["lname"] == name]

    def actions(self, client: str) -> list[str]:
        """Return what the audit log tells of a client, oldest first."""
        return [line.action for line in reversed(self.audit) if line.books_id == client]


@pytest.fixture(scope="module")
async def aftermath(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Aftermath]:
    """Go through all rounds, one after the other."""
    settings = {**SMALL.connection, "settle_time": "2s", "request_timeout": "5s"}
    async with running(tmp_path_factory.mktemp("crashes"), connection=settings) as rig:
        await rig.start_worker("healthy")
        await rig.sign_in()
        ledger = Ledger(rig.ledger)
        known = [await _enter(rig, f"Before {number}") for number in range(len(ROUNDS))]
        await until("the clients to be changed", lambda: _at_rest(rig, ledger, len(known)), PATIENCE)
        deaths = [await _round(rig, ledger, number, known[number]) for number in range(len(ROUNDS))]
        audit = await rig.store.audit.latest(ALL_ROWS)
        held = [hold.reason for hold in await rig.store.holds.listed()]
        yield Aftermath(ledger, audit, judged(ledger, audit), held, deaths)


async def _round(rig: Rig, ledger: Ledger, number: int, known: int) -> list[str]:
    """Let a worker die in a create and in an update; return its last words once another has cleaned up."""
    create_point, update_point = ROUNDS[number]
    await rig.supervisor.stop("healthy")
    name = f"mortal-{number}"
    await rig.start_worker(name, **{VARIABLE: f"{create_point}=1,{update_point}=1"})
    await _enter(rig, f"Created {number}")
    await until(f"a death {create_point}", lambda: _died(rig, name, 1), PATIENCE)
    await rig.sides.update_party(known, lastName=f"Changed {number}")
    await until(f"a death {update_point}", lambda: _died(rig, name, 2), PATIENCE)
    words = await _last_words(rig, name)
    await rig.supervisor.stop(name)
    await rig.start_worker("healthy")
    await until("everything to come to rest", lambda: _at_rest(rig, ledger, len(ROUNDS) + number + 1), PATIENCE)
    return words


async def _enter(rig: Rig, name: str) -> int:
    address = f"{name.lower().replace(' ', '-')}@crashes.example"
    return await rig.sides.create_party(
        type="person", firstName="Crash", lastName=name, emailAddresses=[{"address": address}]
    )


async def _last_words(rig: Rig, name: str) -> list[str]:
    said = rig.supervisor.log_file(name).read_text(errors="replace").splitlines()
    return [line for line in said if line.startswith("crash point")]


async def _died(rig: Rig, name: str, times: int) -> bool:
    return len(await _last_words(rig, name)) >= times


async def _at_rest(rig: Rig, ledger: Ledger, clients: int) -> bool:
    """Return whether every party has its client under its present name, and nothing is under way."""
    served = ledger.read_on().served() == len(ledger.parties) == clients
    standing = await rig.store.links.standing("acme", "clients")
    still = 'Flow = "clients" AND ExecutionStatus = "Running"'
    open_creates = standing.creating + standing.in_doubt
    return served and not open_creates and not (await rig.temporal.count_workflows(still)).count


@pytest.mark.parametrize(("number", "points"), list(enumerate(ROUNDS)))
def test_the_worker_really_dies_where_it_is_told_to(aftermath: Aftermath, number: int, points: tuple[str, str]) -> None:
    """A crash that never happened would prove nothing."""
    assert [line.split()[2].rstrip(":") for line in aftermath.deaths[number]][:2] == list(points)


@pytest.mark.parametrize(("number", "point"), [(number, create) for number, (create, _) in enumerate(ROUNDS)])
def test_a_create_whose_worker_dies_leaves_one_client(aftermath: Aftermath, number: int, point: str) -> None:
    """S47, S49; F1, F2, F41."""
    (client,) = aftermath.clients(f"Created {number}")
    made = [action for action in aftermath.actions(client) if action in {"create", "adopt"}]
    assert made == (["adopt"] if point == "after-post" else ["create"])


@pytest.mark.parametrize(("number", "point"), [(number, update) for number, (_, update) in enumerate(ROUNDS)])
def test_an_update_whose_worker_dies_is_made_all_the_same(aftermath: Aftermath, number: int, point: str) -> None:
    """S49; F41: the same values once more are no harm."""
    (client,) = aftermath.clients(f"Changed {number}")
    assert aftermath.clients(f"Before {number}") == []
    assert aftermath.actions(client)[0] == "create"
    assert "update" in aftermath.actions(client)


def test_in_the_end_nothing_is_lost_doubled_or_held(aftermath: Aftermath) -> None:
    assert [each for each in aftermath.wrong if each.count] == []
    assert aftermath.held == []
    assert len(aftermath.ledger.living) == 2 * len(ROUNDS)
