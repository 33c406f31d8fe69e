"""Payments judged under lost webhooks, cut answers and a worker that dies: the small cut."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(300)]


def test_every_payment_is_judged_or_held_for_the_right_reason(tmp_path: Path) -> None:
    """Z13, Z85; F1, F16, F26, F27, F28, F30. To the minor unit, on both sides."""
    report = tmp_path / "payments.json"
    command = [sys.executable, "-m", "tests.faults.payments_campaign", "--small", "--report", str(report)]
    ran = subprocess.run(
        command, env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, timeout=280, check=False
    )
    assert report.exists(), ran.stderr
    said = json.loads(report.read_text())
    assert said["verdict"] == "green", json.dumps(said, indent=2)
    assert set(said["held"]) == {"conflict", "duplicate-found", "missing-parent", "money-mismatch"}
    assert all(due == books == crm for due, books, crm in said["sums"].values())
