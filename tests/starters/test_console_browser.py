"""The console in a real browser: a bookkeeper decides a hold, has both sides compared, and reads a report."""

import os
from pathlib import Path

from starters.reconciliations import reconciliation_workflow_id
from tests.browser import Tab, browsing
from tests.sandboxes import Firm
from tests.starters.console_desk import REPORT, plant_report, served
from tests.starters.planted_reports import EVIL
from tests.starters.test_holds import two_candidates
from tests.workflows.office import Office

PICTURES = os.environ.get("LEDGERLINE_PICTURES")
"""A folder in which pictures of the pages are kept, for the documentation."""


async def test_a_hold_is_decided_with_the_button_of_the_client_that_is_meant(
    office: Office, firm: Firm, tmp_path: Path
) -> None:
    """S46, S48, S51, Z40: what was decided is what was written, and the record's story tells of it."""
    async with office.working(), served(office) as console, browsing(tmp_path / "profile") as tab:
        _, clients = await two_candidates(office, firm)
        (party,) = [int(hold.record_id) for hold in await firm.store.holds.listed()]
        await tab.open(console)
        assert "1 hold waits for you" in await tab.text()
        await tab.press("Holds")
        await _picture(tab, "holds")
        await tab.press(f"party {party}")
        assert "2 clients may be this party's" in await tab.text()
        await _picture(tab, "hold")
        await tab.press(f"Pick client {clients[1]}")
        assert "going on" in await tab.text()
        assert (await office.result(party)).client_id == clients[1]
        assert firm.client(clients[1])["lname"] == "Twin"
        await tab.open(f"{console}/search?q=client:{clients[1]}")
        story = await tab.text()
        assert f"Party {party}" in story
        assert "in-step" in story
        assert "Twin" not in story
        await _picture(tab, "record")
        await tab.press("Show what was written")
        assert "Twin" in await tab.text()
        await tab.open(console)
        assert "0 holds wait for you" in await tab.text()
        await _picture(tab, "overview")
        assert tab.complaints == []


async def test_a_button_of_a_page_that_is_out_of_date_decides_nothing(
    office: Office, firm: Firm, tmp_path: Path
) -> None:
    """S48: an approval binds what the person has seen."""
    key, workflow_id = firm.record_key(7), "client-upsert/x/capsule-party-7"
    await firm.store.holds.open(workflow_id, key, "anomaly", {"explanation": "2 clients would be archived"})
    async with served(office) as console, browsing(tmp_path / "profile") as tab:
        await tab.open(f"{console}/hold?id={workflow_id}")
        await firm.store.holds.open(workflow_id, key, "anomaly", {"explanation": "200 clients would be archived"})
        await tab.press("Approve")
        assert "not decided: it has changed since you looked" in await tab.text()
        await firm.store.holds.close(workflow_id)
        await tab.open(f"{console}/hold?id={workflow_id}")
        assert "Nothing is held there any more" in await tab.text()


async def test_a_comparison_is_begun_and_a_report_is_read(office: Office, firm: Firm, tmp_path: Path) -> None:
    """S8, S50, Z122: nothing that customers wrote is run, and every kind can be looked at by itself."""
    await plant_report(firm)
    async with served(office) as console, browsing(tmp_path / "profile") as tab:
        await tab.open(f"{console}/reports")
        await _picture(tab, "reports")
        await tab.press("Compare now")
        assert f"The comparison of clients of {firm.name} has begun" in await tab.text()
        handle = office.temporal.get_workflow_handle(reconciliation_workflow_id(firm.name, "clients"))
        assert (await handle.describe()).workflow_type == "Reconciliation"
        await handle.terminate()
        await tab.open(f"{console}/report?id={REPORT}")
        text = await tab.text()
        assert EVIL in text
        assert all(each in text for each in ("1195 in step", "7 differ", "Ångström Mühle GmbH", "billing@acme.test"))
        await _picture(tab, "report")
        await tab.press("duplicate 1")
        assert "Bright Labs" in await tab.text()
        assert "Ångström" not in await tab.text()
        assert tab.complaints == []


async def test_the_first_page_refreshes_itself(office: Office, firm: Firm, tmp_path: Path) -> None:
    """Z122: a new hold is seen by whoever looks at the page, without doing anything."""
    async with served(office) as console, browsing(tmp_path / "profile") as tab:
        await tab.open(console)
        assert "0 holds wait for you" in await tab.text()
        await tab.ask("window.same = true")
        await firm.store.holds.open("client-upsert/x/capsule-party-7", firm.record_key(7), "conflict", {})
        await tab.until("window.same && document.body.innerText.includes('1 hold waits for you')")
        assert tab.complaints == []


async def _picture(tab: Tab, name: str) -> None:
    if PICTURES:
        await tab.picture(Path(PICTURES) / f"console-{name}.png")
        await tab.picture(Path(PICTURES) / f"dark-{name}.png", dark=True)
