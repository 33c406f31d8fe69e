"""Creates whose answers are lost, with Zoho CRM: a file of its own, so that it runs beside the others."""

import json
from pathlib import Path

import pytest

from tests.faults.test_lost_answers import campaign

pytestmark = [pytest.mark.e2e, pytest.mark.faults]


@pytest.mark.timeout(300)
def test_every_contact_and_account_of_zoho_has_one_client_too(tmp_path: Path) -> None:
    """The same with another CRM, of which the parameter is all that differs: fewer, on SQLite alone."""
    report = campaign(tmp_path, "--crm", "zoho_crm", "--parties", "20")
    assert report["verdict"] == "green", json.dumps(report, indent=2)
    assert (report["options"]["crm"], report["creates"]) == ("zoho_crm", 20)
