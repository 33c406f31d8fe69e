"""What goes wrong below is told to Temporal and to workflows by its remedy."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.errors import TOKEN_CHECK, temporal_errors
from connectors.errors import (
    ConsentLost,
    Forbidden,
    NotFound,
    Problem,
    RateLimited,
    Refused,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
)
from mapping.values import IncompleteRecord, UnmappableValue
from store.intents import FenceLost
from store.links import LinkTaken

FINAL: Mapping[type[Exception], tuple[Exception, str]] = {
    Refused: (Refused("freshbooks", "no"), "Refused"),
    NotFound: (NotFound("freshbooks", "gone"), "Refused"),
    Forbidden: (Forbidden("freshbooks", "not you"), "Refused"),
    UnmappableValue: (UnmappableValue("p_country", "no country of this name is known"), "Refused"),
    IncompleteRecord: (IncompleteRecord("fetched without custom fields"), "Refused"),
    UnknownOutcome: (UnknownOutcome("freshbooks", "no answer"), "UnknownOutcome"),
    LinkTaken: (LinkTaken("taken"), "LookAgain"),
    FenceLost: (FenceLost("not ours"), "LookAgain"),
}
WAITING: Mapping[type[Exception], tuple[Exception, str]] = {
    RateLimited: (RateLimited("capsule", "slowly"), "RateLimited"),
    Unavailable: (Unavailable("capsule", "down"), "Unavailable"),
    Unauthorized: (Unauthorized("capsule", "who?"), "Unauthorized"),
    ConsentLost: (ConsentLost("freshbooks", "connect again"), "ConsentLost"),
}


def translated(error: Exception) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught, temporal_errors():
        raise error
    return caught.value


@pytest.mark.parametrize(("error", "remedy"), FINAL.values(), ids=[each.__name__ for each in FINAL])
def test_what_waiting_does_not_cure_is_not_tried_again(error: Exception, remedy: str) -> None:
    """S28."""
    told = translated(error)
    assert (told.type, told.non_retryable) == (remedy, True)


@pytest.mark.parametrize(("error", "remedy"), WAITING.values(), ids=[each.__name__ for each in WAITING])
def test_what_waiting_cures_is_tried_again(error: Exception, remedy: str) -> None:
    """S26, S27."""
    told = translated(error)
    assert (told.type, told.non_retryable) == (remedy, False)


def test_the_wait_is_as_long_as_the_system_said() -> None:
    assert translated(RateLimited("capsule", "slowly", timedelta(seconds=7))).next_retry_delay == timedelta(seconds=7)


def test_an_outage_without_a_time_is_tried_again_by_the_usual_backoff() -> None:
    assert translated(Unavailable("capsule", "down")).next_retry_delay is None


def test_waiting_is_no_alarm() -> None:
    """S29."""
    assert translated(Unavailable("capsule", "down")).category is ApplicationErrorCategory.BENIGN


@pytest.mark.parametrize("error", [Unauthorized("capsule", "who?"), ConsentLost("freshbooks", "connect again")])
def test_a_dead_token_is_asked_for_no_oftener_than_a_person_can_replace_it(error: Exception) -> None:
    assert translated(error).next_retry_delay == TOKEN_CHECK


def test_a_refusal_tells_the_person_each_field_with_the_systems_own_words() -> None:
    told = translated(Refused("freshbooks", "no", (Problem("email", "1004", "is not an address"),)))
    assert told.details == ([{"field": "email", "code": "1004", "message": "is not an address"}],)


def test_a_value_that_cannot_be_mapped_is_named_by_its_field() -> None:
    told = translated(UnmappableValue("p_country", "no country of this name is known"))
    assert told.details[0][0]["field"] == "p_country"


def test_a_mistake_of_ours_is_not_taken_for_an_answer() -> None:
    with pytest.raises(KeyError), temporal_errors():
        raise KeyError("a bug")
