"""Weeks of work of a small firm: clients in several currencies, projects with each kind of rate, and time entries of
several people, of which not all can be billed.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sandbox.clock import later, zulu
from sandbox.freshbooks import client_write
from sandbox.freshbooks.account import IDENTITY_ID, Account
from sandbox.freshbooks.business_values import zoneless
from sandbox.freshbooks.hours import Hours
from sandbox.ledger import Ledger, Record, by_control
from sandbox.records import Records
from sandbox.service import Service

Write = Callable[[str, Record], Record]
"""Makes a record of a kind of a draft, as a person does, and returns it: by the hands, or by the control API."""

CURRENCIES = ("EUR", "USD", "GBP", "JPY")
SERVICES: tuple[tuple[str, bool, str | None], ...] = (
    ("Design", True, "95.00"),
    ("Entwicklung", True, "110.50"),
    ("Travel", True, "40.00"),
    ("Bookkeeping", False, None),
    ("Advice", True, None),
)
"""Name, whether it can be billed, and rate; the last one has no rate although it can be billed."""

PROJECTS: dict[str, Record] = {
    "project_rate": {"title": "Website", "rate": "120.00"},
    "service_rate": {"title": "Support", "rate": None},
    "staff_rate": {"title": "Workshops", "rate": None, "billing_method": "team_member_rate"},
    "fixed_price": {"title": "Relaunch", "project_type": "fixed_price", "fixed_price": "6000.00"},
}
ORDINARY = ("service_rate", "project_rate", "staff_rate")
CASES = (
    *(*ORDINARY, "fixed_price", "not_billable", "billed", "running"),
    *("no_rate", "no_project", "only_project", "internal", "midnight"),
)
"""What an entry is like: by which rate it is billed, or why it is not. One of `only_project` names its client by its
project alone; one of `midnight` began on the last day by UTC, half an hour before its end, when east of Greenwich it
was tomorrow.
"""

DURATIONS = (59, 900, 1800, 2700, 3600, 4321, 5400, 7200, 27_000)
"""Seconds; not all are a round share of an hour."""

SINCE = datetime(2026, 2, 1, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class HoursPlan:
    """How much work. `people` are identities of the business (more than three ask for more `staff` in the settings),
    `client_ids` those of clients that are there already; without them `clients` new ones are made.
    """

    entries: int = 60
    people: tuple[int, ...] = (IDENTITY_ID, IDENTITY_ID + 1, IDENTITY_ID + 2)
    clients: int = 4
    client_ids: tuple[int, ...] = ()
    first_day: date = date(2026, 3, 1)
    days: int = 31


@dataclass(frozen=True)
class WorkedHours:
    """What was made. `projects` are by client and rate, `entries` in the order in which they were made, each with its
    case.
    """

    client_ids: tuple[int, ...]
    services: list[Record]
    projects: dict[tuple[int, str], Record]
    entries: list[tuple[str, Record]]


def fill_hours(service: Service, seed: int, plan: HoursPlan | None = None, *, hooks: bool = False) -> WorkedHours:
    """Have people write the hours of a plan into FreshBooks' stand-in. The same seed and plan give the same hours. Each
    record stands in the ledger; with `hooks` everybody is told. Raises Refusal for people or clients that do not exist.
    """
    with by_control(hooks=hooks):
        return write_hours(lambda kind, draft: service.hands[kind].create(draft), seed, plan)


def write_hours(write: Write, seed: int, plan: HoursPlan | None = None) -> WorkedHours:
    """Write the hours of a plan by any way in, and return what was made."""
    plan, dice = plan or HoursPlan(), random.Random(f"hours {seed}")  # noqa: S311 - reproducible, not secret
    services = [write("service", {"name": name, "billable": billable}) for name, billable, _ in SERVICES]
    for service, (_, _, rate) in zip(services, SERVICES, strict=True):
        if rate is not None:
            write("service_rate", {"service_id": service["id"], "rate": rate})
    for place, identity_id in enumerate(plan.people):
        write("team_member_rate", {"identity_id": identity_id, "rate": f"{70 + 5 * place}.00"})
    client_ids = plan.client_ids or tuple(write("client", _client(place))["id"] for place in range(plan.clients))
    projects = {
        (client_id, rate): write("project", {"client_id": client_id, "billing_method": _method(rate), **draft})
        for client_id in client_ids
        for rate, draft in PROJECTS.items()
    }
    found = WorkedHours(client_ids, services, projects, [])
    for place in range(plan.entries):
        case = CASES[place] if place < len(CASES) else dice.choice((*ORDINARY, *CASES))
        found.entries.append((case, write("time_entry", _entry(case, found, plan, dice))))
    return found


def seed_hours(account: Account, entries: int) -> None:
    """Put so many time entries, and what belongs to them, into the account as having been there from the start."""
    records = Records(account.records.system, account.seed, Ledger(None), {})
    records.start_ids("client", account.records.next_id("client"))
    scratch = Account(records, account.tokens, account.settings, account.seed)
    hands = Hours(scratch).hands()

    def write(kind: str, draft: Record) -> Record:
        return client_write.create(scratch, draft) if kind == "client" else hands[kind].create(draft)

    write_hours(write, account.seed, HoursPlan(entries))
    for kind in ("client", *hands):
        for record in records.all(kind):
            account.records.seed(kind, record["id"], {**record, **_since(kind, record)})


def _since(kind: str, record: Record) -> Record:
    """Return when a record was made, which must not depend on when the sandbox starts."""
    if kind == "client":
        return {"signup_date": "2026-02-01 08:00:00", "updated": "2026-02-01 03:00:00"}
    if kind == "project":
        return dict.fromkeys(("created_at", "updated_at"), zoneless(SINCE))
    if kind == "time_entry":
        end = datetime.fromisoformat(record["started_at"]) + timedelta(seconds=record["duration"] or 0)
        return dict.fromkeys(("created_at", "updated_at"), zulu(end))
    return {}


def _client(place: int) -> Record:
    currency = CURRENCIES[place % len(CURRENCIES)]
    email = f"accounts{place + 1}@hours.example"
    return {"organization": f"Hours {place + 1} {currency}", "email": email, "currency_code": currency}


def _method(rate: str) -> str | None:
    return {"fixed_price": None, "staff_rate": "team_member_rate"}.get(rate, rate)


def _entry(case: str, made: WorkedHours, plan: HoursPlan, dice: random.Random) -> Record:
    """Return the draft of one entry; every case draws the same number of times, so that its neighbours stay."""
    client_id, person, rate = dice.choice(made.client_ids), dice.choice(plan.people), dice.choice(ORDINARY)
    started, duration = _start(plan, dice), dice.choice(DURATIONS)
    rate = case if case in PROJECTS else rate
    draft: Record = {
        "identity_id": person,
        "is_logged": case != "running",
        "started_at": zulu(_midnight(plan) if case == "midnight" else started),
        "duration": None if case == "running" else duration,
        "client_id": client_id,
        "project_id": made.projects[client_id, rate]["id"],
        "service_id": dice.choice(made.services[:3])["id"],
        "note": f"Work {dice.randrange(10**6):06}",
        "billable": case not in ("not_billable", "internal"),
        "billed": case == "billed",
        "internal": case == "internal",
    }
    return draft | _without(case, made)


def _without(case: str, made: WorkedHours) -> Record:
    """Return what an entry lacks that cannot be billed by a project's rate."""
    if case == "internal":
        return dict.fromkeys(("client_id", "project_id", "service_id"))
    if case == "no_rate":
        return {"project_id": None, "service_id": made.services[-1]["id"]}
    return {"no_project": {"project_id": None}, "only_project": {"client_id": None}}.get(case, {})


def _start(plan: HoursPlan, dice: random.Random) -> datetime:
    first = datetime.combine(plan.first_day, datetime.min.time(), UTC)
    return later(first, 86_400 * dice.randrange(plan.days) + 60 * dice.randrange(6 * 60, 20 * 60))


def _midnight(plan: HoursPlan) -> datetime:
    first = datetime.combine(plan.first_day, datetime.min.time(), UTC)
    return later(first, 86_400 * plan.days - 1800)
