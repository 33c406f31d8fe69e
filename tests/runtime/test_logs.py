"""Logs hold ids and reasons: whichever library a line comes from, no secret and no customer is in it."""

import contextlib
import io
import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
import structlog
from pydantic import SecretStr

from runtime.logs import set_up_logs

SECRETS = ("s3cret", "quist")
BEARER = "Bearer s3cret.s3cret"
EMAIL = "nora@quist.test"
HOOK = "/hooks/capsule/acme/s3cret"

Read = Callable[[], list[dict[str, Any]]]
Begin = Callable[[Literal["console", "json"], str], io.StringIO]


@pytest.fixture
def logging_to() -> Iterator[Begin]:
    """Sets up logs as a process does and gives where they end; afterwards other tests log as before."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def begin(form: Literal["console", "json"], level: str) -> io.StringIO:
        root.handlers.clear()  # setting up logs closes the handlers it finds, pytest's too
        written = io.StringIO()
        with contextlib.redirect_stderr(written):
            set_up_logs("worker", form, level)
        return written

    yield begin
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def lines(logging_to: Begin) -> Read:
    """Logs as JSON; gives the lines that were written, and looks for secrets in each."""
    standard_error = logging_to("json", "debug")

    def read() -> list[dict[str, Any]]:
        written = standard_error.getvalue()
        for secret in SECRETS:
            assert secret not in written, written
        return [json.loads(line) for line in written.splitlines()]

    return read


def log() -> Any:
    """Return a logger of ours."""
    return structlog.get_logger()


def test_every_line_says_when_which_process_and_how_grave(lines: Read) -> None:
    log().warning("a client was refused", connection="acme", party=7)
    logging.getLogger("library").info("connected to %s", "acme")
    ours, theirs = lines()
    assert (ours["event"], ours["connection"], ours["party"]) == ("a client was refused", "acme", 7)
    assert (theirs["event"], theirs["level"], theirs["process"]) == ("connected to acme", "info", "worker")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", ours["timestamp"])


@pytest.mark.parametrize(
    "name", ["token", "access_token", "client_secret", "Authorization", "password", "verifier", "api_key", "Set-Cookie"]
)
def test_a_value_whose_name_says_secret_is_removed(lines: Read, name: str) -> None:
    log().info("asked", **{name: "s3cret"})
    log().info("asked", details={"headers": [{name: "s3cret"}]})
    first, second = lines()
    assert first[name] == "[removed]"
    assert second["details"] == {"headers": [{name: "[removed]"}]}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"sent with {BEARER} to acme", "sent with Bearer [removed] to acme"),
        ("sent with bearer   s3cret", "sent with Bearer [removed]"),
        (f"POST {HOOK} 200", "POST /hooks/capsule/acme/[removed] 200"),
        (f"POST https://us.test{HOOK}?x=1", "POST https://us.test/hooks/capsule/acme/[removed]?x=1"),
        (f"party 7 has {EMAIL} twice", "party 7 has [email] twice"),
        (f'"{EMAIL}" <nora.quist+x@mail.quist.example>', '"[email]" <[email]>'),
    ],
)
def test_a_secret_or_an_address_within_a_text_is_removed_and_the_rest_kept(lines: Read, text: str, kept: str) -> None:
    log().info(text, reason=text, steps=[text, {"at": (text,)}])
    logging.getLogger("library").warning("%s", text)
    ours, theirs = lines()
    assert ours["event"] == ours["reason"] == ours["steps"][0] == kept
    assert ours["steps"][1] == {"at": [kept]}
    assert theirs["event"] == kept


@dataclass
class Party:
    """An object that says more than it should."""

    email: str


def test_objects_are_cleaned_as_the_text_they_become(lines: Read) -> None:
    log().warning("failed", error=ValueError(EMAIL), party=Party(EMAIL), many={EMAIL}, key=SecretStr("s3cret"))
    said = lines()[0]
    assert said["error"] == "[email]"
    assert "[email]" in said["party"]
    assert said["key"] == "**********"


def test_numbers_and_truth_stay_what_they_are(lines: Read) -> None:
    log().info("counted", count=3, share=0.5, done=True)
    said = lines()[0]
    assert (said["count"], said["share"], said["done"]) == (3, 0.5, True)


def test_an_exception_is_shown_with_its_trace_and_without_what_it_quotes(lines: Read) -> None:
    for logger in (log(), logging.getLogger("library")):
        try:
            int(f"{EMAIL} with {BEARER}")
        except ValueError:
            logger.exception("a client could not be written")
    for said in lines():
        assert said["event"] == "a client could not be written"
        assert said["exception"].startswith("Traceback")
        assert "[email] with Bearer [removed]" in said["exception"]


def test_an_exception_that_is_reported_later_is_shown_too(lines: Read) -> None:
    """asyncio reports the failure of a forgotten task when nothing is being handled any more."""
    with pytest.raises(ValueError, match="invalid literal") as caught:
        int(EMAIL)
    kept = caught.value
    log().error("a task failed", exc_info=kept)
    logging.getLogger("asyncio").error("a task failed", exc_info=(type(kept), kept, kept.__traceback__))
    for said in lines():
        assert said["exception"].startswith("Traceback")
        assert "ValueError: invalid literal for int() with base 10: '[email]'" in said["exception"]


def test_libraries_that_print_addresses_and_queries_are_quiet(lines: Read) -> None:
    for name in ("httpx", "uvicorn.access", "sqlalchemy.engine"):
        logging.getLogger(name).info("GET https://api.test/parties?q=s3cret")
    assert lines() == []


def test_of_temporals_long_dictionaries_the_ids_are_kept(lines: Read) -> None:
    details = {"workflow_id": "client-upsert/acme/capsule-party-7", "activity_type": "create_client", "attempt": 3}
    logging.getLogger("temporalio.activity").warning("failed", extra={"temporal_activity": details})
    said = lines()[0]
    assert (said["workflow"], said["activity"]) == ("client-upsert/acme/capsule-party-7", "create_client")
    assert "temporal_activity" not in said


def test_a_long_text_does_not_hold_the_process_up(lines: Read) -> None:
    began = time.monotonic()
    log().info("a" * 100_000)
    log().info("a@" * 50_000)
    assert time.monotonic() - began < 2
    assert len(lines()) == 2


def test_below_the_chosen_level_nothing_is_written(logging_to: Begin) -> None:
    standard_error = logging_to("json", "warning")
    log().info("a detail")
    logging.getLogger("library").info("a detail")
    log().warning("a warning")
    assert [json.loads(line)["event"] for line in standard_error.getvalue().splitlines()] == ["a warning"]


def test_in_a_terminal_the_line_is_readable_and_as_clean(logging_to: Begin, tmp_path: Path) -> None:
    standard_error = logging_to("console", "info")
    try:
        int(EMAIL)
    except ValueError:
        log().exception("a client was refused", party=7, path=tmp_path, token="s3cret")
    written = standard_error.getvalue()
    assert "a client was refused" in written
    assert "party=7" in written
    assert "ValueError: invalid literal for int() with base 10: '[email]'" in written
    assert not [secret for secret in SECRETS if secret in written]
