"""What answers of the systems mean for an operator: pure judgements, each with what to do."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from activities.watch_models import Finding
from connectors.oauth import Provider
from connectors.service_state import ServiceState
from mapping.client_fields import FLAG_FIELDS
from mapping.engine import Template
from mapping.registry import Kind
from mapping.rules import FieldRule
from store.tokens import NEEDS_CONSENT, REFRESHING, Account, Grant

CLOCK_WARNING, CLOCK_WRONG = timedelta(seconds=30), timedelta(minutes=5)
LITTLE_LEFT = 0.1  # of the quota
LITTLE_PERIODS = 60  # of our pace, where nobody says how large the quota is
MOST_NAMED = 10  # of an account's fields, those first that are written alike
CHECKBOX, TEXT = "boolean", "text"


@dataclass(frozen=True)
class Pace:
    """How fast we are told to go: so many requests in a period, by a setting."""

    requests: int
    period: str
    setting: str


@dataclass(frozen=True)
class CustomField:
    """A custom field of a CRM's parties, by its name in mappings. A `flaw` keeps it from carrying our reference."""

    id: int
    name: str
    type: str
    flaw: str | None = None


def judge_clock(state: ServiceState, asked: datetime, answered: datetime) -> Finding:
    """Compare the system's clock with ours, which read `asked` and `answered` around the request."""
    if state.at is None:
        return Finding(level="note", text="clock: the answer carries no date, so ours could not be compared")
    # Somewhere within its second, somewhere between question and answer: that much is no difference.
    early, late = state.at - answered, state.at + timedelta(seconds=1) - asked
    apart = max(early, -late, timedelta(0))
    if apart < CLOCK_WARNING:
        return Finding(level="ok", text="clock: agrees with ours")
    side = "behind" if early > timedelta(0) else "ahead"
    text = f"clock: ours is {_spoken(apart)} {side}; switch time synchronisation (NTP) on where the worker runs"
    if apart < CLOCK_WRONG:
        return Finding(level="warning", text=text)
    return Finding(level="wrong", text=f"{text}. Sweeps may pass over changes until then")


def judge_quota(state: ServiceState, pace: Pace) -> Finding:
    """Compare what the system grants with what the settings use, and say how much is left."""
    used = f"{pace.setting} uses {pace.requests:,} {pace.period}"
    if state.limit is None:
        return _judge_rest(state.remaining, pace, used)
    if pace.requests > state.limit:
        text = f"quota: {state.limit:,} are granted, but {used}: set it to {state.limit:,} at most, or requests wait"
        return Finding(level="warning", text=text)
    left = state.limit if state.remaining is None else state.remaining
    if left < LITTLE_LEFT * state.limit:
        text = f"quota: {left:,} of {state.limit:,} are left; does another program use the same account? Lower {used}"
        return Finding(level="warning", text=text)
    return Finding(level="ok", text=f"quota: {left:,} of {state.limit:,} are left; {used}")


def judge_fields(crm: str, template: Template, shipped: Template, definitions: Sequence[CustomField]) -> list[Finding]:
    """Compare the custom fields that the mapping names with those that the account has."""
    findings: list[Finding] = []
    absent: list[str] = []
    for field, rule in template.rules.items():
        for named in [path.custom_field for path in rule.paths if path.custom_field is not None]:
            known = _named(named, definitions)
            if known:
                findings += _judge_field(field, rule, named, known)
            elif field in shipped.rules and shipped.rules[field].source == rule.source:
                absent.append(named)
            else:
                findings.append(_unknown_field(f"{field} is taken from", named, definitions))
    asked = [each for each in template.asked_fields if not _named(each[1], definitions)]
    findings += [_unknown_field(f"{rule} asks for", named, definitions) for rule, named in asked]
    if absent:
        text = f"mapping: {crm} has no custom field {_quoted(absent)}; if you want that synced, create it for parties"
        findings.append(Finding(level="note", text=text))
    if all(each.level == "note" for each in findings):
        findings.insert(0, Finding(level="ok", text=f"mapping: fits the custom fields of parties ({template.version})"))
    return findings


def judge_reference_field(provider: Provider, wanted: Sequence[str], definitions: Sequence[CustomField]) -> Finding:
    """Look for the text fields that carry our reference on the parties that we create."""
    known = {each.name: each for each in reversed(definitions)}
    connect = f"or run `ledgerline connect {provider.system}`"
    for name in wanted:
        field, make = known.get(name), f"make a text field “{name}” for people and organisations in {provider.title}"
        if field is None:
            text = f"clients.reference_field: there is no custom field “{name}”; {make}, {connect}"
            return Finding(level="wrong", text=f"{text}. Until then no party can be created")
        if field.type != TEXT:
            text = f"“{name}” is of the type {field.type}, not text; rename it and {make}, {connect}"
            return Finding(level="wrong", text=f"clients.reference_field: {text}")
        if field.flaw:
            return Finding(level="wrong", text=f"clients.reference_field: “{name}” {field.flaw}")
    return Finding(level="ok", text=f"clients.reference_field: {_quoted(wanted)} carries our reference")


def judge_token(provider: Provider, connection: str, account: Account | None, grant: Grant | None) -> list[Finding]:
    """Say how an account stands that a person connects."""
    connect = f"run `ledgerline connect {provider.system} --connection {connection}`"
    if account is not None and account.state == NEEDS_CONSENT:
        return [Finding(level="wrong", text=f"token: {account.reason}; {connect}")]
    if account is None or grant is None:
        return [Finding(level="wrong", text=f"token: this account is not connected yet; {connect}")]
    return [_judge_life(account, grant), *judge_scopes(provider, grant.scope, connect)]


def judge_fixed_token(account: Account | None) -> Finding:
    """Say what is known of a token that stands in the settings."""
    if account is not None and account.state == NEEDS_CONSENT:
        return Finding(level="wrong", text=f"token: {account.reason}")
    text = "token: stands in the settings; what it may do, and until when, cannot be seen (see docs/connecting.md)"
    return Finding(level="note", text=text)


def judge_scopes(provider: Provider, granted: str, connect: str) -> list[Finding]:
    """Compare what was granted with the least that we need. An empty text means: what was asked for."""
    missing, beyond = provider.missing(granted), provider.beyond(granted)
    findings = [
        Finding(level="wrong", text=f"scopes: {each.name} is not granted, so this fails: {each.needed_for}; {connect}")
        for each in missing
    ]
    if beyond:
        text = f"scopes: more is granted than we use ({', '.join(beyond)}); take it away and {connect}"
        findings.append(Finding(level="warning", text=text))
    return findings or [Finding(level="ok", text="scopes: what we use, and no more")]


def _judge_rest(left: int | None, pace: Pace, used: str) -> Finding:
    """Judge what is left of a quota whose size is not said, as Zoho's is not before half of it is used."""
    if left is None:
        return Finding(level="note", text=f"quota: the answer does not say it; {used}")
    if left < LITTLE_PERIODS * pace.requests:
        text = f"quota: only {left:,} are left; does another program use the same account? Lower {used}"
        return Finding(level="warning", text=text)
    return Finding(level="note", text=f"quota: {left:,} are left; {used}")


def _judge_life(account: Account, grant: Grant) -> Finding:
    left = grant.expires_at - datetime.now(UTC)
    if account.state == REFRESHING:
        return Finding(level="ok", text="token: is just being renewed")
    if left < timedelta(0):
        text = "token: ended, and was not renewed; it is at the next request. If this stays so, read the worker's log"
        return Finding(level="warning", text=text)
    return Finding(level="ok", text=f"token: good for another {_spoken(left)}, and renewed by itself before that")


def _judge_field(field: str, rule: FieldRule, named: str, known: Sequence[CustomField]) -> list[Finding]:
    findings = []
    if len(known) > 1:
        numbers = " or ".join(f"fields[{each.id}]" for each in known)
        text = f"mapping: {field} names “{named}”, and {len(known)} custom fields are called so; write {numbers}"
        findings.append(Finding(level="warning", text=text))
    problem = _misfit(field, rule, known[0])
    if problem:
        findings.append(Finding(level="wrong", text=f"mapping: {field} is taken from “{named}”, {problem}"))
    return findings


def _misfit(field: str, rule: FieldRule, definition: CustomField) -> str | None:
    """Return why what the custom field holds cannot become what the client's field holds; None if it can."""
    takes = rule.transforms[0].transform.takes if rule.transforms else Kind.VALUE
    gives_flag = field in FLAG_FIELDS and not rule.transforms
    if definition.type == CHECKBOX and (takes is Kind.TEXT or (not rule.transforms and field not in FLAG_FIELDS)):
        return "a checkbox, where text is expected: put a `table` first among its transforms"
    if definition.type != CHECKBOX and gives_flag:
        return f"of the type {definition.type}, where yes or no is expected: put `yes_no` among its transforms"
    return None


def _unknown_field(says: str, named: str, definitions: Sequence[CustomField]) -> Finding:
    names = [each.name for each in definitions if each.name]
    there = _quoted(difflib.get_close_matches(named, names, MOST_NAMED, 0.0)) or "none at all"
    text = f"mapping: {says} the custom field “{named}”, and parties have no such field. They have: {there}"
    return Finding(level="wrong", text=text)


def _named(named: str, definitions: Sequence[CustomField]) -> list[CustomField]:
    """Return the custom fields with this id or name, the oldest first, as the mapping reads them."""
    found = [
        each
        for each in definitions
        if str(each.id) == named or (each.name or "").strip().casefold() == named.strip().casefold()
    ]
    return sorted(found, key=lambda each: each.id)


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"“{each}”" for each in dict.fromkeys(names))


def _spoken(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}"
    return f"{seconds} seconds"
