"""Turns what connectors, mapping and store say into what Temporal and workflows act upon: errors named by remedy."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from connectors.errors import ConsentLost, Refused, Unauthorized, UnknownOutcome, Wait
from mapping.values import IncompleteRecord, UnmappableValue
from store.intents import FenceLost
from store.links import LinkTaken

REFUSED = "Refused"
UNKNOWN_OUTCOME = "UnknownOutcome"
LOOK_AGAIN = "LookAgain"
UNAUTHORIZED = "Unauthorized"
CONSENT_LOST = "ConsentLost"
UNKNOWN_CONNECTION = "UnknownConnection"
# A person has to put a good token in place; asking more often than this only fills the log.
TOKEN_CHECK = timedelta(seconds=30)

Rules = TypeVar("Rules")


class ByConnection(dict[str, Rules]):
    """What is known of each connection in the settings. Others raise an error that Temporal retries and people read."""

    def __missing__(self, connection: str) -> Rules:
        raise ApplicationError(
            f"connection {connection!r} is not in the settings that this worker has read; put it back and start the "
            "worker again, or terminate its workflows",
            type=UNKNOWN_CONNECTION,
        )


@contextmanager
def temporal_errors() -> Iterator[None]:
    """Raise ApplicationErrors whose type names the remedy.

    Temporal retries what waiting cures (and waits as long as the system said); a refusal, a lost answer and a record
    that somebody else linked are for the workflow to decide, so they are not retried.
    """
    try:
        yield
    except Wait as error:
        raise ApplicationError(
            str(error),
            type=type(error).__name__,
            next_retry_delay=error.retry_after,
            category=ApplicationErrorCategory.BENIGN,
        ) from error
    except (Unauthorized, ConsentLost) as error:
        remedy = CONSENT_LOST if isinstance(error, ConsentLost) else UNAUTHORIZED
        raise ApplicationError(str(error), type=remedy, next_retry_delay=TOKEN_CHECK) from error
    except Refused as error:
        problems = [{"field": each.field, "code": each.code, "message": each.message} for each in error.problems]
        raise ApplicationError(str(error), problems, type=REFUSED, non_retryable=True) from error
    except UnmappableValue as error:
        problems = [{"field": error.field, "code": "unmappable", "message": str(error)}]
        raise ApplicationError(str(error), problems, type=REFUSED, non_retryable=True) from error
    except IncompleteRecord as error:
        raise ApplicationError(str(error), [], type=REFUSED, non_retryable=True) from error
    except UnknownOutcome as error:
        raise ApplicationError(
            str(error), type=UNKNOWN_OUTCOME, non_retryable=True, category=ApplicationErrorCategory.BENIGN
        ) from error
    except (LinkTaken, FenceLost) as error:
        raise ApplicationError(str(error), type=LOOK_AGAIN, non_retryable=True) from error
