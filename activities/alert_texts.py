"""What people are told: which syncs or queues, how many, since when, and what to type. No value of any record."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from store.alerts import HOLD, MISMATCHES, Alert, Group

SHOWN = 5
SILENCE, BACKLOG, CONSENT, DEAF = "silence", "backlog", "needs-consent", "no-webhooks"
OUTAGE, STANDSTILL = "outage", "standstill"
INBOX = "backlog/inbox"
OVER = {
    SILENCE: "sweeps end again",
    BACKLOG: "the queue has drained",
    DEAF: "webhooks arrive again",
    OUTAGE: "the system answers again",
    STANDSTILL: "work goes on again",
}
MEANINGS = {
    SILENCE: (
        "no sweep has ended for too long",
        "Changes that no webhook announces are not seen. Sweeps run by a schedule that may be paused.",
    ),
    DEAF: (
        "no webhooks arrive",
        "Changes are found by sweeps alone, so they are late. Can the system reach `receiver.public_url`?",
    ),
    BACKLOG: (
        "a queue does not drain",
        "Changes are kept, and late. Either the workers are too few or gone, or Temporal cannot be reached.",
    ),
    OUTAGE: ("a system does not answer", "Changes are kept, and made by themselves once it answers again."),
    STANDSTILL: (
        "nothing is synced",
        "Either Temporal cannot be reached or no worker runs. Changes are kept, and made by themselves afterwards.",
    ),
}
NEWS = {
    SILENCE: "no sweep of {place} has ended",
    DEAF: "{place}: sweeps find changes, and no webhook has told of any",
    OUTAGE: "{place} has not answered",
    STANDSTILL: "nothing has been done",
    BACKLOG: "tasks have waited in the queue {place}",
}
"""What goes on, by the beginning of an incident's key."""


class Message(NamedTuple):
    """One message, in words that any channel can show."""

    subject: str
    text: str


def message(group: Group) -> Message:
    """Return what is said of a group."""
    if group.over:
        return _over(group)
    if group.reason == CONSENT:
        return _consent(group)
    if group.reason in MEANINGS:
        return _incident(group)
    return _report(group) if group.reason == MISMATCHES else _holds(group)


def trial() -> Message:
    """Return what is said when somebody only tries the channels."""
    return Message("Ledgerline: a test", "A test of the alerts of this installation. Nothing is wrong.")


def blind(since: datetime) -> Message:
    """Return what is said while the watch cannot look, because our store is away or Temporal answers it too little."""
    return Message(
        "Ledgerline: the alert watch cannot look",
        _text(
            f"Since {clock(since)} our store, or Temporal, has not answered the alert watch. Changes are kept by "
            "whichever of them answers, or sent again by their systems, and are made by themselves afterwards.",
            "Find out more: ledgerline doctor; ledgerline status",
        ),
    )


def sighted(since: datetime) -> Message:
    """Return what is said when it can look again."""
    return Message(
        "Ledgerline: the alert watch can look again",
        _text("This is over:", f"- the alert watch could not look since {clock(since)}"),
    )


def what(alert: Alert) -> str:
    """Return what an alert is about, in a few words."""
    kind, _, rest = alert.key.partition("/")
    if alert.source == HOLD:
        return alert.key
    if alert.key == INBOX:
        return f"changes have waited in the inbox since {clock(alert.since)}"
    if kind == MISMATCHES:
        return f"report {rest.rpartition('/')[2]}"
    words = NEWS.get(kind, NEWS[BACKLOG]).format(place=rest)
    return f"{words} since {clock(alert.since)}"


def clock(instant: datetime) -> str:
    """Return an instant as people read it."""
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _holds(group: Group) -> Message:
    new, syncs = len(group.alerts), "sync waits" if group.open == 1 else "syncs wait"
    subject = f"Ledgerline: {group.open} {syncs} for a person ({group.connection}: {group.reason})"
    told = group.open - new
    heading = f"{group.open} {syncs} for a person in the connection {group.connection}. Reason: {group.reason}."
    if told:
        heading += f" {new} since the last message."
    look = f"ledgerline holds list --reason {group.reason}"
    return Message(subject, _text(heading, _listed(group.alerts), f"See them: {look}", _decide(group.alerts[0])))


def _decide(alert: Alert) -> str:
    return f"See the choices, and decide: ledgerline holds show {alert.key}"


def _consent(group: Group) -> Message:
    connection = group.connection
    meaning = (
        f"A system does not accept us any more: {connection} is not synced until a person has connected it again. "
        "Changes wait meanwhile; nothing is lost."
    )
    return Message(
        f"Ledgerline: the connection {connection} needs consent",
        _text(
            meaning,
            _listed(group.alerts),
            f"See what to do: ledgerline holds show {group.alerts[0].key}",
            f"Where it was connected by signing in: ledgerline connect SYSTEM --connection {connection}",
        ),
    )


def _incident(group: Group) -> Message:
    place = f" ({group.connection})" if group.connection else ""
    subject, meaning = MEANINGS[group.reason]
    more = "Find out more: ledgerline doctor; ledgerline status"
    return Message(f"Ledgerline: {subject}{place}", _text(meaning, _listed(group.alerts), more))


def _report(group: Group) -> Message:
    meaning = (
        f"Both sides of {group.connection} were compared in full, and differ where they did not before. Nobody is at "
        "work on it: no sync waits, and no webhook or sweep has told of it."
    )
    report_id = group.alerts[-1].key.rpartition("/")[2]
    look = f"See what differs: ledgerline reconcile --show {report_id}"
    return Message(f"Ledgerline: new mismatches ({group.connection})", _text(meaning, _listed(group.alerts), look))


def _over(group: Group) -> Message:
    place = f" ({group.connection})" if group.connection else ""
    return Message(f"Ledgerline: {OVER[group.reason]}{place}", _text("This is over:", _listed(group.alerts)))


def _listed(alerts: Sequence[Alert]) -> str:
    more = len(alerts) - SHOWN
    lines = [what(alert) for alert in alerts[:SHOWN]] + [f"and {more} more"] * (more > 0)
    return "\n".join(f"- {line}" for line in lines)


def _text(*paragraphs: str) -> str:
    return "\n\n".join(paragraphs)
