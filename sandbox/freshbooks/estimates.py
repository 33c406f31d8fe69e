"""What only estimates have: acceptance, and their states, which may disagree. None is ever declined.

Source: https://www.freshbooks.com/api/estimates
"""

from sandbox.freshbooks import emails
from sandbox.freshbooks.account import Account
from sandbox.freshbooks.document_kind import DocumentKind
from sandbox.freshbooks.values import flag
from sandbox.ledger import Record

THING = "estimate"
DRAFT, SENT, VIEWED, ACCEPTED, INVOICED = 1, 2, 3, 5, 6
WORDS = {SENT: "sent", VIEWED: "viewed", ACCEPTED: "accepted", INVOICED: "invoiced"}
FLAGS = ("rich_proposal", "require_client_signature")
BLANK: Record = {
    "accepted": False,
    "invoiced": False,
    "status": DRAFT,
    "ui_status": "draft",
    "display_status": "draft",
    "reply_status": None,
    **dict.fromkeys(FLAGS, False),
}


def own(document: Record, draft: Record, *, new: bool) -> Record:
    """Return an estimate after the fields were written that invoices do not have. Its states are not among them."""
    del new
    return {**document, **{key: flag(key, draft[key], THING) for key in FLAGS if key in draft}}


def view(estimate: Record) -> Record:
    """Return an estimate after its client looked at it. As was seen, its `ui_status` is then `open`."""
    return {**_moved(estimate, VIEWED), "ui_status": "open"} if estimate["status"] == SENT else estimate


def accept(account: Account, estimate: Record, asked: Record) -> Record:
    """Return an estimate as accepted, by its client or on behalf of it. An invoiced one stays what it is."""
    if not flag("action_accept", asked.get("action_accept", True), THING) or estimate["status"] == INVOICED:
        return estimate
    moves = account.settings.status_after_accept == "accepted"
    return {**(_moved(estimate, ACCEPTED) if moves else estimate), "accepted": True}


def email(account: Account, estimate: Record, asked: Record) -> Record:
    """Send an estimate by email, and return it as sent. Raises a 422 if there is no address."""
    if not flag("action_email", asked.get("action_email", True), THING):
        return estimate
    emails.send(account, THING, estimate, asked)
    return _moved(estimate, SENT) if estimate["status"] == DRAFT else estimate


def invoiced(estimate: Record) -> Record:
    """Return an estimate of which an invoice was made."""
    return {**_moved(estimate, INVOICED), "invoiced": True}


def _moved(estimate: Record, status: int) -> Record:
    return {**estimate, "status": status, "ui_status": WORDS[status], "display_status": WORDS[status]}


ESTIMATE = DocumentKind(
    name=THING,
    blank=BLANK,
    own=own,
    actions={"action_accept": accept, "action_email": email},
    numbers_are_unique=lambda settings: settings.unique_estimate_numbers,
)
