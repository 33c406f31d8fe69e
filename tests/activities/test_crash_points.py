"""Crash points: off unless the environment names them, and then the process is really gone."""

import os
import subprocess
import sys
import time

import pytest

from activities.crash_points import EXIT_CODE, POINTS, VARIABLE, WrongCrashPoints, crash_point, read_points

PASS_ONE_HUNDRED = (
    "from activities.crash_points import crash_point\nfor each in range(100): crash_point({!r}); print(each)"
)


def passing(point: str, points: str) -> subprocess.CompletedProcess[str]:
    """Pass one point a hundred times in a process of its own."""
    environment = {**os.environ, VARIABLE: points}
    command = [sys.executable, "-u", "-c", PASS_ONE_HUNDRED.format(point)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


def test_without_the_variable_nothing_happens_and_it_costs_nothing() -> None:
    """A hundred thousand passes: less than the price of one request."""
    began = time.perf_counter()
    for _ in range(100_000):
        crash_point("after-post")
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize("point", sorted(POINTS))
def test_a_named_point_ends_the_process_at_once(point: str) -> None:
    ended = passing(point, f"{point}=1")
    assert (ended.returncode, ended.stdout) == (EXIT_CODE, "")
    assert point in ended.stderr


def test_a_point_that_is_not_named_is_passed() -> None:
    ended = passing("after-mark", "after-post=1")
    assert (ended.returncode, len(ended.stdout.split())) == (0, 100)


def test_with_a_seed_the_process_ends_at_the_same_pass_every_time() -> None:
    first, second = (passing("after-mark", "after-mark=0.05,seed=7") for _ in range(2))
    assert first.returncode == EXIT_CODE
    assert first.stdout == second.stdout != ""


@pytest.mark.parametrize("text", ["after-lunch=1", "after-post=2", "after-post=-0.1", "after-post", "seed=x"])
def test_a_point_that_does_not_exist_is_not_passed_over_in_silence(text: str) -> None:
    """A crash that never happens would prove nothing."""
    with pytest.raises(WrongCrashPoints, match=VARIABLE):
        read_points(text)


def test_several_points_and_a_seed_are_read() -> None:
    assert read_points("after-mark=0.1, after-post=1,seed=3") == ({"after-mark": 0.1, "after-post": 1.0}, 3)
