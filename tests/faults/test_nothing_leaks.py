"""Planted secrets and personal data are found nowhere: not in logs, databases, histories, metrics, alerts or output."""

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from runtime.keys import FILE_NAME
from runtime.queues import WORKFLOW_QUEUE
from starters.demo.sides import until
from tests.faults.gateway import Gateway, Mailbox, serving
from tests.faults.places import files, histories, pages, spoken, traces
from tests.faults.planted import PERSONAL_KINDS, SECRET_KINDS, Mark, mark, person, text
from tests.faults.rig import CONNECTION, Rig, running
from tests.faults.scenes import Firm
from worker.hook_readers import hook_secrets
from workflows.alerts import AlertWatch
from workflows.models import AlertWatchRequest

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(300)]

PLANTED = [mark(kind) for kind in (*PERSONAL_KINDS, *SECRET_KINDS)]
RULES = {"vat_number": {"owner": "ask"}}
COMMANDS = (["status"], ["holds", "list"], ["doctor"])
OTHERS_DATABASE = f"postgresql://ledgerline:{text('password of the database')}@127.0.0.1:1/ledgerline"


@dataclass(frozen=True)
class Evidence:
    """What a small firm left behind, by place; what was looked for; and the same after a leaky worker had a turn."""

    marks: list[Mark]
    places: Mapping[str, bytes]
    arrived: bytes
    rude_answers_given: bool
    after_a_leak: Mapping[str, bytes]


@pytest.fixture(scope="module")
async def evidence(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Evidence]:
    """Run the firm with a healthy worker, look everywhere, and then let a leaky one do a little."""
    folder = tmp_path_factory.mktemp("leaks")
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=30))
        crm, books, mailbox = Gateway(http), Gateway(http), Mailbox()
        crm_at, books_at, mail_at = [await stack.enter_async_context(serving(app)) for app in (crm, books, mailbox)]
        connection = {
            "capsule": {"base_url": f"http://{crm_at}"},
            "freshbooks": {"base_url": f"http://{books_at}"},
            "settle_time": "2s",
            "request_timeout": "5s",
            "clients": {"phone_region": "GB", "default_currency": "EUR", "mapping": RULES},
        }
        alerts = {"urls": [f"json://{mail_at}/{text('address of an alert channel')}"], "group_for": "1s"}
        rig = await stack.enter_async_context(
            running(folder, connection=connection, registered=True, log_level="debug", alerts=alerts)
        )
        crm.upstream, books.upstream = rig.sides.capsule_url, rig.sides.freshbooks_url
        marks = await _lived(rig, crm, books)
        await _told(rig, mailbox)
        places = await _places(rig, mailbox)
        given = crm.all_given and books.all_given
        yield Evidence(marks, places, rig.ledger.read_bytes(), given, await _leaked(rig))


async def _lived(rig: Rig, crm: Gateway, books: Gateway) -> list[Mark]:
    """Let the firm live; return everything that must not be found."""
    await rig.start_worker("worker")
    await rig.sign_in()
    await Firm(rig, crm, books).live()
    real = {each.text: each for each in await _real_secrets(rig)}  # a token that was not refreshed is listed twice
    return [*PLANTED, *real.values()]


async def _told(rig: Rig, mailbox: Mailbox) -> None:
    """Wait for an alert about the holds, with a watch that looks more often than the one that runs by the clock."""
    often = AlertWatchRequest(every=timedelta(seconds=1))
    watch = await rig.temporal.start_workflow(
        AlertWatch.run, often, id="impatient-alert-watch", task_queue=WORKFLOW_QUEUE
    )

    async def arrived() -> bool:
        return bool(mailbox.letters)

    await until("an alert", arrived, 60)
    await watch.terminate("an alert has come")


async def _places(rig: Rig, mailbox: Mailbox) -> dict[str, bytes]:
    wrong = {"LEDGERLINE_DATABASE_URL": OTHERS_DATABASE}
    return {
        **await spoken(*COMMANDS),
        **{f"{name} without a database": told for name, told in (await spoken(["status"], environment=wrong)).items()},
        **await histories(rig),
        **await pages(rig, ["worker"]),
        "alerts": b"\n".join(mailbox.letters),
        **files(rig),
    }


async def _real_secrets(rig: Rig) -> list[Mark]:
    """Return the secrets that the installation really works with: all that it was given and all that it made."""
    told = {
        name: (await rig.sides.http.get(f"{url}/_sandbox/info")).json()
        for name, url in (("Capsule", rig.sides.capsule_url), ("FreshBooks", rig.sides.freshbooks_url))
    }
    found = {f"{kind} token of {name}": text for name, info in told.items() for kind, text in info["tokens"].items()}
    found["our registration's secret"] = told["FreshBooks"]["oauth"]["client_secret"]
    tokens = await rig.sides.http.get(f"{rig.sides.freshbooks_url}/_sandbox/records/token")
    for row in tokens.json()["records"]:
        found |= {f"{kind} of grant {row['id']}": row[kind] for kind in ("access_token", "refresh_token") if row[kind]}
    for system in ("capsule", "freshbooks"):
        for number, secret in enumerate(hook_secrets(rig.store.keys, system, CONNECTION)):
            found[f"secret {number} in the path of {system}'s webhooks"] = secret
    for number, verifier in enumerate(await rig.store.callbacks.trusted(CONNECTION)):
        found[f"verifier {number}"] = verifier
    key = (rig.folder / FILE_NAME).read_text().split()[1]
    return [Mark(kind, secret) for kind, secret in found.items()] + [Mark("master key", key)]


async def _leaked(rig: Rig) -> dict[str, bytes]:
    """Let a worker that seals nothing sync one party more, and look again where that must show."""
    await rig.supervisor.stop("worker")
    await rig.start_worker("leaky", ["tests.faults.leaky_worker"])
    await rig.sides.create_party(**{**person(), "firstName": "Ada"})
    await until("another client", lambda: rig.sides.clients_with(fname="Ada"), 60)
    return {**await histories(rig), **files(rig)}


def test_at_least_twenty_secrets_and_twenty_personal_strings_are_looked_for(evidence: Evidence) -> None:
    secrets = len(evidence.marks) - len(PERSONAL_KINDS)
    assert (secrets >= 20, len(PERSONAL_KINDS) >= 20) == (True, True)
    assert len({each.text for each in evidence.marks}) == len(evidence.marks)


def test_what_is_looked_for_was_really_there(evidence: Evidence) -> None:
    """A search for what never passed through the system would prove nothing."""
    by_way_of_a_gateway = {"name in a malformed answer", "name in the body of a webhook"}
    entered = [mark(kind) for kind in PERSONAL_KINDS if kind not in by_way_of_a_gateway]
    assert sorted(traces(entered, evidence.arrived)) == sorted(each.kind for each in entered)
    assert evidence.rude_answers_given


def test_every_place_holds_something(evidence: Evidence) -> None:
    assert [name for name, content in evidence.places.items() if not content] == []
    assert {"worker.log", "receiver.log", "temporal.log", "ledgerline.db", "temporal.db"} <= evidence.places.keys()
    assert sum(name.startswith("history of client-upsert/") for name in evidence.places) >= 5


def test_no_secret_and_no_personal_data_is_found_anywhere(evidence: Evidence) -> None:
    """Z132, Z133: logs, stores, histories, visibility, metrics, alerts, command output."""
    found = {name: traces(evidence.marks, content) for name, content in evidence.places.items()}
    assert {name: kinds for name, kinds in found.items() if kinds} == {}
    assert [name for name in evidence.places if traces(evidence.marks, name.encode())] == []


@pytest.mark.parametrize("place", ["ledgerline.db", "temporal.db", "leaky.log", "history of client-upsert/"])
def test_a_worker_that_leaks_is_found_out(evidence: Evidence, place: str) -> None:
    """The positive control: a search that could not find anything would prove nothing."""
    found = [
        kind
        for name, content in evidence.after_a_leak.items()
        if place in name
        for kind in traces(evidence.marks, content)
    ]
    assert found


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("after", ["", "a", "ab", "abc"])
def test_a_string_is_found_in_base64_wherever_it_stands(before: str, after: str) -> None:
    sought = mark("first name")
    told = json.dumps({"data": base64.b64encode(f"{before}{sought.text}{after}".encode()).decode()})
    assert traces([sought], told.encode()) == ["first name"]
    assert traces([mark("last name")], told.encode()) == []


def test_a_string_is_found_in_either_case_and_in_hexadecimal(tmp_path: Path) -> None:
    sought = mark("city")
    assert traces([sought], f"…{sought.text.upper()}…".encode()) == ["city"]
    assert traces([sought], sought.text.encode().hex().encode()) == ["city"]
