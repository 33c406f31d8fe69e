"""`ledgerline plan` and `ledgerline apply`: what a bookkeeper types and reads."""

import asyncio
import json
import stat
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runtime.errors import Stop
from starters.cli import app
from starters.plan_files import write_html, write_json
from starters.plan_views import duration, forecast, kind, what
from starters.plans import Output, apply_plan, list_plans, make_plan, show_plan, stop_plan
from store.plans import NewItem, NewPlan, Plan
from store.store import Store
from tests.sandboxes import Firm
from tests.workflows.office import Office, until

OFFICE = [{"address": "office@north.test"}]
SCRIPT = "<script>alert('x')</script>"
DETAIL = {
    "name": SCRIPT,
    "partner": "Zoë & Söhne",
    "text": "update: organization",
    "writes": [{"field": "organization", "before": "Old", "after": SCRIPT}],
    "crm_writes": [{"field": "email", "before": None, "after": "[bold]@acme.test"}],
    "conflicts": [{"field": "vat_number", "crm": "DE1", "books": None}],
    "candidates": [{"id": 5, "name": SCRIPT, "email": "", "place": "Kiel", "why": "same name (83)", "score": 83}],
    "remark": "same email (100): client 6, which belongs to party 7",
}


@pytest.fixture
async def made(sqlite_store: Store) -> Plan:
    """A plan with an item of several kinds, ready to be looked at."""
    plans = sqlite_store.plans
    expires_at = datetime.now(UTC) + timedelta(days=7)
    await plans.begin(NewPlan("acme-1", "acme", "clients", "v1", two_way=True, expires_at=expires_at))
    items = [
        NewItem("update", "both", party_id=7, client_id=5, detail=DETAIL),
        NewItem("skip", reason="deleted", client_id=6, detail={"name": "Gone", "text": "it was deleted"}),
        NewItem("create", "crm", client_id=8),  # its values were erased
    ]
    await plans.add([plans.row("acme-1", number, item) for number, item in enumerate(items, 1)])
    counts = [
        {"action": "update", "side": "both", "reason": "", "count": 1},
        {"action": "skip", "side": "", "reason": "deleted", "count": 1},
        {"action": "create", "side": "crm", "reason": "", "count": 2_500},
        {"action": "in-step", "side": "", "reason": "", "count": 70_000},
    ]
    summary = {
        "listed": {"parties": 72_501, "clients": 70_002},
        "counts": counts,
        "calls": {"capsule": 8000, "freshbooks": 5000},
        "seconds": {"capsule": 7200, "freshbooks": 1000},
    }
    await plans.move("acme-1", "ready", ("listing",), summary)
    plan = await plans.find("acme-1")
    assert plan is not None
    return plan


class Page(HTMLParser):
    """What a browser would make of a page: its scripts, its links elsewhere, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.scripts = 0
        self.elsewhere: list[str] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.elsewhere += [value or "" for name, value in attrs if name in {"src", "href", "action"}]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


async def test_a_customer_called_like_a_script_is_shown_and_not_run(
    sqlite_store: Store, made: Plan, tmp_path: Path
) -> None:
    """Z137: names come from customers."""
    await write_html(sqlite_store, made, tmp_path / "plan.html")
    page = Page((tmp_path / "plan.html").read_text())
    assert page.scripts == 1  # our own filter
    assert page.texts.count(SCRIPT) == 2
    assert any(SCRIPT in text and text != SCRIPT for text in page.texts)  # the candidate
    assert any("Zoë & Söhne" in text for text in page.texts)


async def test_the_page_of_a_plan_needs_no_network_and_allows_none(
    sqlite_store: Store, made: Plan, tmp_path: Path
) -> None:
    await write_html(sqlite_store, made, tmp_path / "plan.html")
    html = (tmp_path / "plan.html").read_text()
    assert Page(html).elsewhere == []
    assert "default-src 'none'" in html
    assert "http" not in html.replace("http-equiv", "")


async def test_the_page_says_how_many_items_it_leaves_out(sqlite_store: Store, made: Plan, tmp_path: Path) -> None:
    await write_html(sqlite_store, made, tmp_path / "plan.html")
    text = " ".join(Page((tmp_path / "plan.html").read_text()).texts)
    assert "The first 1 are shown; the JSON file has them all." in text


@pytest.mark.parametrize("write", [write_html, write_json])
async def test_only_their_owner_may_read_the_files_of_a_plan(
    sqlite_store: Store, made: Plan, tmp_path: Path, write: object
) -> None:
    """Z137: also where a file was there before."""
    path = tmp_path / "plan"
    path.write_text("old")
    path.chmod(0o644)
    await (write_html if write is write_html else write_json)(sqlite_store, made, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_file_that_cannot_be_written_is_named(sqlite_store: Store, made: Plan, tmp_path: Path) -> None:
    with pytest.raises(Stop, match=r"nowhere/plan\.json cannot be written: No such file or directory"):
        await write_json(sqlite_store, made, tmp_path / "nowhere" / "plan.json")


async def test_a_plan_comes_back_from_json_as_it_is(sqlite_store: Store, made: Plan, tmp_path: Path) -> None:
    await write_json(sqlite_store, made, tmp_path / "plan.json")
    read = json.loads((tmp_path / "plan.json").read_text())
    assert read["plan"]["id"] == "acme-1"
    assert datetime.fromisoformat(read["plan"]["expires_at"]) == made.expires_at
    assert [item["detail"] for item in read["items"]] == [
        item.detail for item in await sqlite_store.plans.items("acme-1", None, 0, 100)
    ]
    assert read["items"][0]["detail"] == DETAIL


def test_the_forecast_names_the_account_that_takes_longest() -> None:
    """S60: 8,000 requests at 4,000 an hour take two hours."""
    summary = {"calls": {"capsule": 8000, "freshbooks": 5000}, "seconds": {"capsule": 7200, "freshbooks": 1000}}
    now = datetime.now(UTC)
    plan = Plan("acme-1", "acme", "clients", "ready", "v1", True, summary, now, now, None)
    said = forecast(plan)
    assert "8,000 requests to Capsule (2 h at its quota)" in said
    assert "5,000 requests to FreshBooks (17 min at its quota)" in said
    assert said.endswith("about 2 h in all")


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_200, "2 h"), (864_000, "10 d")]
)
def test_a_length_of_time_is_said_as_people_say_it(seconds: int, said: str) -> None:
    assert duration(seconds) == said


def test_an_escape_sequence_in_a_name_does_nothing_to_the_terminal() -> None:
    said = what({"writes": [{"field": "fname", "before": None, "after": "Nora\x1b[2J\u202e"}]})
    assert said == "fname: Nora [2J "


def test_a_record_that_is_left_alone_says_why() -> None:
    assert kind("skip", "", "deleted") == "left alone: deleted in FreshBooks"
    assert kind("create", "crm", "") == "create a party"


async def test_a_plan_is_made_shown_written_and_applied(
    office: Office, firm: Firm, installed: Path, ended: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """S2, Z24: the whole of a first run."""
    party_id = await firm.new_party(name="North", emailAddresses=OFFICE)
    office.expect(party_id)
    async with office.working():
        assert await make_plan(None, Output(5, tmp_path / "plan.json", tmp_path / "plan.html")) == 0
        said = capsys.readouterr().out
        (item,) = json.loads((tmp_path / "plan.json").read_text())["items"]
        assert "1 parties and 0 clients listed" in said
        assert "email: office@north.test" in said
        assert f"nothing has been written. To do it: ledgerline apply {item['plan_id']}" in said
        assert firm.clients() == []
        assert await apply_plan(item["plan_id"], None) == 0
        assert len(firm.clients()) == 1
        capsys.readouterr()
        await list_plans()
        assert "applied" in capsys.readouterr().out
        await show_plan(item["plan_id"], Output())
        assert "applied so far (applied)" in capsys.readouterr().out


async def test_a_refused_plan_says_what_to_type(
    office: Office, firm: Firm, installed: Path, ended: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """F22."""
    firm.use_clients(bulk_limit=0)
    await firm.new_party(name="North", emailAddresses=OFFICE)
    async with office.working():
        await make_plan(firm.name, Output(0))
        (plan,) = await firm.store.plans.listed()
        assert await apply_plan(plan.id, None) == 2
    said = " ".join(capsys.readouterr().out.split())
    assert f"ledgerline apply {plan.id} --allow-creates 1" in said
    assert "office@north.test" not in said


async def test_ctrl_c_leaves_the_apply_running_and_says_so(
    office: Office, firm: Firm, installed: Path, ended: None, capsys: pytest.CaptureFixture[str]
) -> None:
    party_id = await firm.new_party(name="North", emailAddresses=OFFICE)
    office.expect(party_id)
    async with office.working():
        await make_plan(None, Output())
        (plan,) = await firm.store.plans.listed()
    capsys.readouterr()
    typed = asyncio.create_task(apply_plan(plan.id, None))  # no worker runs: nothing can end

    async def shown() -> bool:
        return "applying it" in capsys.readouterr().out

    await until(shown)
    typed.cancel()
    assert await typed == 130
    said = " ".join(capsys.readouterr().out.split())
    assert f"the apply goes on. Look: ledgerline plan show {plan.id}; stop it: ledgerline plan stop {plan.id}" in said
    async with office.working():
        assert await apply_plan(plan.id, None) == 0
    assert len(firm.clients()) == 1


async def test_stopping_says_how_to_go_on(
    firm: Firm, installed: Path, made: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await stop_plan(made.id) == 0
    assert "nothing to stop: plan acme-1 is ready" in capsys.readouterr().out
    await firm.store.plans.move(made.id, "applying", ("ready",))
    await stop_plan(made.id)
    assert "To go on: ledgerline apply acme-1" in capsys.readouterr().out


async def test_an_unknown_plan_is_named(firm: Firm, installed: Path) -> None:
    with pytest.raises(Stop, match="there is no plan nothing; `ledgerline plan list` shows them"):
        await apply_plan("nothing", None)


async def test_an_unknown_connection_is_told_which_there_are(firm: Firm, installed: Path) -> None:
    with pytest.raises(Stop, match=f"say which connection with --connection: {firm.name}"):
        await make_plan("nobody", Output())


async def test_a_plan_that_was_not_made_says_why(
    firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await firm.store.plans.begin(NewPlan("p", firm.name, "clients", "v1", two_way=True, expires_at=datetime.now(UTC)))
    await firm.store.plans.move("p", "failed", ("listing",), {"problem": "Capsule refused to list parties"})
    assert await show_plan("p", Output()) == 1
    assert "plan p was not made: Capsule refused to list parties" in capsys.readouterr().out


def test_the_commands_explain_themselves() -> None:
    """S6."""
    shown = CliRunner().invoke(app, ["plan", "--help"])
    assert shown.exit_code == 0
    assert all(word in shown.output for word in ("list", "show", "stop", "--html", "--json", "--sample"))
    assert "--allow-creates" in CliRunner().invoke(app, ["apply", "--help"]).output
