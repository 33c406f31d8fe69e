"""The story that `make demo` tells, as a test: it is what a newcomer sees first."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.e2e


@pytest.mark.timeout(480)
def test_the_demo_passes_every_one_of_its_steps() -> None:
    """S1, S18, S21, S22, S24, S37, S47, S49, S3, S14, Z16; Z10, Z74, Z77, Z124; F1, F2, F6, F20."""
    told = subprocess.run(
        [sys.executable, "-m", "starters", "demo"], capture_output=True, text=True, timeout=460, check=False
    )
    assert told.returncode == 0, told.stdout
    last = told.stdout.strip().splitlines()[-1]
    assert last == "demo: 33 of 33 steps passed"
