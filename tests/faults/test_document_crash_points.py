"""A worker that dies between two steps of making an estimate or an invoice: at every such place, as a process.

Another takes over, and in the end each opportunity has one document, which it was told of once.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from activities.crash_points import VARIABLE
from starters.demo.sides import until
from store.audit import AuditLine
from store.records import RecordKey
from tests.faults.judge import Finding
from tests.faults.pipeline_judge import House, Kind, judged
from tests.faults.pipeline_phases import SMALL
from tests.faults.pipeline_rig import Firm, both_firms, ready
from tests.faults.pipeline_sales import PROPOSAL, WON, Price
from tests.faults.rig import Rig

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(400)]

# The deals of each round are billed in FreshBooks by the same steps: one gets an estimate, one an invoice that is sent.
ROUNDS: Sequence[Sequence[str]] = (("after-post", "before-put"),)
PATIENCE = 120.0
ALL_ROWS = 1000
PRICE = Price("1313.37", "EUR")


@dataclass(frozen=True)
class Aftermath:
    """What stands in the ledger and in the audit log once everything has come to rest. `deals` has the ids of what was
    entered in each round: one at its proposal, and one that was won at once.
    """

    house: House
    deals: Sequence[Mapping[str, int]]
    deaths: Sequence[set[str]]
    audit: Sequence[AuditLine]
    wrong: Sequence[Finding]
    held: Sequence[str]

    def actions(self, deal: int) -> list[str]:
        """Return what the audit log tells of a deal's documents, oldest first."""
        return [line.action for line in reversed(self.audit) if line.crm_id == str(deal)]


@pytest.fixture(scope="module")
async def aftermath(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Aftermath]:
    """Go through all rounds, one after the other, with Zoho CRM and final invoices."""
    async with both_firms(tmp_path_factory.mktemp("crashes"), SMALL.connection) as (rig, firms):
        await rig.start_worker("healthy")
        await ready(firms)
        firm = firms[1]
        party = await firm.sales.enter_party(firm.crm, "Buyer")
        await until("its client", lambda: _has_clients(firm), PATIENCE)
        played = [await _round(rig, firm, party, points) for points in ROUNDS]
        audit = await rig.store.audit.latest(ALL_ROWS)
        held = [hold.reason for hold in await rig.store.holds.listed()]
        wrong = [each for each in judged([firm.house.read_on()]) if each.count]
        yield Aftermath(firm.house, [each[0] for each in played], [each[1] for each in played], audit, wrong, held)


async def _round(rig: Rig, firm: Firm, party: int, points: Sequence[str]) -> tuple[dict[str, int], set[str]]:
    """Let a worker die at these points in the creates of both documents; return the deals, and where it died."""
    await rig.supervisor.stop("healthy")
    name = f"mortal-{points[0]}"
    await rig.start_worker(name, **{VARIABLE: ",".join(f"{point}=1" for point in points)})
    deals = {
        "estimate": await firm.sales.enter(firm.crm, party, f"Due {points[0]}", PROPOSAL, PRICE),
        "invoice": await firm.sales.enter(firm.crm, party, f"Won {points[0]}", WON, PRICE),
    }

    async def has_died() -> bool:
        begun = [await _is_begun(rig, kind, deal) for kind, deal in deals.items()]
        return all(begun) and _deaths(rig, name) >= set(points)

    await until(f"deaths {' and '.join(points)}", has_died, PATIENCE)
    await rig.supervisor.stop(name)
    await rig.start_worker("healthy")
    await until("everything to come to rest", lambda: _at_rest(rig, firm, deals), PATIENCE)
    return deals, _deaths(rig, name)


async def _is_begun(rig: Rig, kind: str, deal: int) -> bool:
    """Return whether the create of a document was marked as being sent, at least."""
    standing = await rig.store.audit.latest(ALL_ROWS)
    made = any((line.flow, line.crm_id) == (f"{kind}s", str(deal)) for line in standing)
    intent = await rig.store.intents.open_one(_record(kind, deal))
    return made or (intent is not None and intent.state != "reserved")


async def _at_rest(rig: Rig, firm: Firm, deals: Mapping[str, int]) -> bool:
    house = firm.house.read_on()
    invoice = house.living("invoice", deals["invoice"])
    is_sent = invoice is not None and invoice["v3_status"] == "sent" and bool(house.notes.get(deals["invoice"]))
    is_made = house.living("estimate", deals["estimate"]) is not None
    still = 'Flow = "opportunities" AND ExecutionStatus = "Running"'
    return is_sent and is_made and not (await rig.temporal.count_workflows(still)).count


async def _has_clients(firm: Firm) -> bool:
    return bool(firm.house.read_on().clients)


def _record(kind: str, deal: int) -> RecordKey:
    return RecordKey("zephyr", f"{kind}s", str(deal))


def _deaths(rig: Rig, name: str) -> set[str]:
    said = rig.supervisor.log_file(name).read_text(errors="replace").splitlines()
    return {line.split()[2].rstrip(":") for line in said if line.startswith("crash point")}


@pytest.mark.parametrize(("number", "points"), list(enumerate(ROUNDS)))
def test_the_worker_really_dies_where_it_is_told_to(aftermath: Aftermath, number: int, points: Sequence[str]) -> None:
    """A crash that never happened would prove nothing."""
    assert aftermath.deaths[number] == set(points)


@pytest.mark.parametrize("kind", ["estimate", "invoice"])
@pytest.mark.parametrize("number", range(len(ROUNDS)))
def test_a_document_whose_worker_dies_is_made_once(aftermath: Aftermath, number: int, kind: Kind) -> None:
    """S47, S49; F1, F2, F41."""
    deal = aftermath.deals[number][kind]
    assert len(aftermath.house.made(kind, deal)) == 1
    made = [action for action in aftermath.actions(deal) if action in {"create", "adopt"}]
    assert len(made) == 1


def test_what_was_made_by_a_worker_that_died_is_taken_over(aftermath: Aftermath) -> None:
    """F2: of the two documents under way, that of the worker's last request at least."""
    deals = aftermath.deals[0].values()
    assert "adopt" in [action for deal in deals for action in aftermath.actions(deal)]


@pytest.mark.parametrize("number", range(len(ROUNDS)))
def test_an_invoice_whose_worker_dies_while_it_is_sent_is_sent_and_told_once(aftermath: Aftermath, number: int) -> None:
    """S38; F41."""
    deal = aftermath.deals[number]["invoice"]
    invoice = aftermath.house.living("invoice", deal)
    assert invoice is not None
    assert invoice["v3_status"] == "sent"
    assert len(aftermath.house.notes[deal]) == 1


def test_in_the_end_nothing_is_wrong_and_nobody_is_asked(aftermath: Aftermath) -> None:
    assert (aftermath.wrong, aftermath.held) == ([], [])
