"""What a failed activity means for the sync that asked for it."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from activities.errors import CONSENT_LOST, LOOK_AGAIN, UNAUTHORIZED, UNKNOWN_OUTCOME
    from activities.models import OpenHold, PartyKey


def looks_again(error: FailureError) -> bool:
    """Return whether another attempt, which begins by looking, is the remedy."""
    said = _said(error)
    return said is not None and said.type in {UNKNOWN_OUTCOME, LOOK_AGAIN}


def hold_for(key: PartyKey, error: FailureError) -> OpenHold:
    """Return the hold that shows a person what went wrong, with what the system said of each field."""
    return OpenHold(key=key, reason=reason_of(error), evidence=evidence_of(error))


def reason_of(error: FailureError) -> str:
    """Return the reason for which a failed activity is held."""
    said = _said(error)
    return "needs-consent" if said and said.type in {UNAUTHORIZED, CONSENT_LOST} else "rejected"


def evidence_of(error: FailureError) -> dict[str, object]:
    """Return what a person decides by: what went wrong, and what the system said of each field."""
    said = _said(error)
    problems = said.details[0] if said and said.details else []
    return {"explanation": text_of(error), "problems": problems}


def text_of(error: FailureError) -> str:
    """Return what went wrong, for people; without personal data, as activities promise."""
    said = _said(error)
    return said.message if said else "no answer in time"


def _said(error: FailureError) -> ApplicationError | None:
    """Return what an activity said before it failed; None if it never answered. A local one fails without a wrapper."""
    failure = error.cause if isinstance(error, ActivityError) else error
    return failure if isinstance(failure, ApplicationError) else None
