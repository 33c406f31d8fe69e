"""Opportunities of both CRMs under lost answers, late searches, doubled webhooks and a killed worker: the small cut."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(300)]


def test_every_opportunity_has_one_estimate_and_at_most_one_invoice(tmp_path: Path) -> None:
    """S19, S38, S39, S40, S47; F1, F2, F3, F6, F14, F23. Four currencies, to the minor unit."""
    report = tmp_path / "pipeline.json"
    command = [sys.executable, "-m", "tests.faults.pipeline_campaign", "--small", "--report", str(report)]
    ran = subprocess.run(
        command, env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, timeout=280, check=False
    )
    assert report.exists(), ran.stderr
    said = json.loads(report.read_text())
    assert said["verdict"] == "green", json.dumps(said, indent=2)
    assert (said["opportunities"], said["estimates"], said["invoices"]) == (30, 25, 23)
    assert all(crm == books > 0 for crm, books in said["sums"].values())
