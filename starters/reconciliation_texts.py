"""What the words of a mismatch report mean to the person who reads it, and what that person can do."""

from collections.abc import Mapping
from typing import get_args

from store.reconciliation_models import Cause, Mismatch, MismatchKind, Repair, ReportHead, SideCount

KINDS: Mapping[MismatchKind, tuple[str, str]] = {
    "missing-right": ("Missing in the books", "The CRM has the record, and by the rules the books should have it too."),
    "missing-left": ("Missing in the CRM", "The books have the record, and by the rules the CRM should have it too."),
    "field-drift": ("Fields that differ", "Both sides have the record, and say different things of it."),
    "duplicate": ("Duplicates", "One side has the same record twice: what is written to one is missing in the other."),
    "orphaned-link": ("Links to nothing", "We tied two records together, and one of them is not there any more."),
    "amount": ("Amounts that differ", "Both sides have the document, with different sums."),
    "status": ("Statuses that differ", "Both sides have the document, and disagree on how far it is."),
    "currency": ("Currencies that differ", "Both sides have the document, in two currencies."),
    "unapplied-payment": ("Payments of no invoice", "Money came in that counts towards no invoice."),
    "stale-hook": (
        "Silent webhooks",
        "A system does not tell us of changes as it should; sweeps find them later.",
    ),
    "cursor-gap": ("Sweeps that are behind", "Changes are not listed as often as they should be."),
}
"""Title and meaning, in the order in which they are read."""
CAUSES: Mapping[Cause, str] = {
    "unknown": "no cause is known",
    "held": "waits for a person",
    "in-doubt": "outcome of a write not known yet",
    "skipped-by-rule": "left alone by a rule",
    "excluded": "excluded from the sync",
    "edited-after": "edited after it was listed",
}
REPAIRS: Mapping[Repair, str] = {"sync": "a sync mends it", "person": "a person must decide", "none": "nothing to do"}
STATES: Mapping[str, str] = {
    "running": "is being made",
    "paused": "is paused",
    "done": "is done",
    "failed": "failed",
    "given-up": "was given up",
}
SYSTEMS: Mapping[str, str] = {
    "capsule": "Capsule",
    "freshbooks": "FreshBooks",
    "zoho_crm": "Zoho CRM",
    "zoho_books": "Zoho Books",
}
SIDES: Mapping[str, str] = {"crm": "CRM", "books": "books"}
NOTHING_DIFFERS, DIFFERENCES, COULD_NOT = 0, 1, 2
SETTLED: tuple[Cause, ...] = ("skipped-by-rule", "excluded")
"""Causes that somebody chose: such a difference is no news to anybody."""

_TO_DO: Mapping[Cause, str] = {
    "held": "decide its hold: ledgerline holds list",
    "in-doubt": "nothing yet: it is looked up again by itself",
    "skipped-by-rule": "nothing, unless you change the rule",
    "excluded": "nothing, unless you include it again",
    "edited-after": "nothing: the edit is on its way",
}
_BY_A_PERSON: Mapping[MismatchKind, str] = {
    "missing-right": "mend the record or the rule, or exclude it",
    "missing-left": "make it in the CRM, or exclude it",
    "field-drift": "decide which side is right, and change the other",
    "duplicate": "merge the two in their own system, or tell them apart",
    "orphaned-link": "bring the record back, or decide its hold: ledgerline holds list",
    "stale-hook": "see what ledgerline doctor says of webhooks",
    "cursor-gap": "see what ledgerline doctor says of schedules",
    "unapplied-payment": "assign the payment to its invoice in the books",
}


def to_do(mismatch: Mismatch, *, handed_over: bool = False) -> str:
    """Return what is to be done about one difference. `handed_over`: what a sync mends was given to the syncs."""
    if mismatch.cause in _TO_DO:
        return _TO_DO[mismatch.cause]
    if mismatch.repair == "sync":
        return "nothing: its sync was told" if handed_over else "let its sync mend it: ledgerline reconcile --repair"
    if mismatch.repair == "none":
        return "nothing"
    if mismatch.kind == "missing-right" and mismatch.books_ids:
        return "decide whether these are one record"
    return _BY_A_PERSON.get(mismatch.kind, "decide which side is right, and change the other")


def kinds_of(head: ReportHead) -> list[MismatchKind]:
    """Return the kinds that a report found, in the order in which they are read."""
    return [kind for kind in get_args(MismatchKind) if head.counts.get(kind)]


def differing(head: ReportHead) -> int:
    """Return how many differences are nobody's wish: a rule or an exclusion accounts for the others."""
    return head.mismatches - sum(head.causes.get(each, 0) for each in SETTLED)


def verdict(head: ReportHead) -> str:
    """Return what the comparison came to, in one sentence."""
    if head.state != "done":
        return f"The comparison {STATES[head.state]}{_because(head)}."
    left = differing(head)
    settled = head.mismatches - left
    chosen = f" {counted(settled, 'difference')} {'is' if settled == 1 else 'are'} as you chose." if settled else ""
    found = f"{counted(left, 'difference')} found." if left else "Nothing differs."
    if not head.is_complete:
        return f"{found if left else 'Nothing that differs was found so far.'}{chosen} Not all was compared."
    return found + chosen


def exit_code(head: ReportHead) -> int:
    """Return 0 if nothing differs but what somebody chose, 1 if something does, 2 if not all was compared."""
    if head.state != "done" or not head.is_complete:
        return COULD_NOT
    return DIFFERENCES if differing(head) else NOTHING_DIFFERS


def completeness(head: ReportHead) -> str:
    """Return in plain words whether everything was compared, and if not, what was left out."""
    if not head.sides:
        return "The comparison has not come to its end: this report says nothing of what differs."
    read = "; ".join(_read(each) for each in head.sides)
    if head.is_complete:
        return f"Complete: both sides were read to their ends. {read}."
    short = " and ".join(system(each.system) for each in head.sides if not each.is_complete) or "the other side"
    return (
        f"Not complete: not all of {short} is sure to have been read, because a list was cut short or records moved in "
        f"it meanwhile. {read}. What differs in the rest is not known: compare again. This is not the whole."
    )


def system(name: str) -> str:
    """Return a system's own name."""
    return SYSTEMS.get(name, name)


def counted(number: int, word: str) -> str:
    """Return "1 page" or "2,000 pages"."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _read(side: SideCount) -> str:
    return f"{system(side.system)}: {counted(side.records, 'record')} on {counted(side.pages, 'page')}"


def _because(head: ReportHead) -> str:
    return f": {head.explanation.rstrip('.')}" if head.explanation else ""
