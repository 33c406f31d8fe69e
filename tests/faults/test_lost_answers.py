"""Creates whose answers are lost, under everything else that goes wrong: the small cut of the fault campaign."""

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.faults]


@pytest.mark.timeout(300)
def test_every_party_has_one_client_whatever_happened_to_the_answers(database_url: str) -> None:
    """S26, S27, S47, S49, Z26; F1, F2, F3, F6, F14, F41. On SQLite and on PostgreSQL."""
    found = _campaign(database_url)
    assert (found["clients"], found["missing"]) == (found["parties"], [])
    assert (found["twice"], found["references_twice"]) == ([], [])
    assert all(count > 0 for count in found["fired"].values()), f"a fault that never happened proves nothing: {found}"


def _campaign(database_url: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.faults.campaign", database_url]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert ran.returncode == 0, ran.stderr
    return dict(json.loads(ran.stdout))
