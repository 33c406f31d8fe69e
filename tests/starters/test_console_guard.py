"""Who may see the console, and which requests it believes: a hostile page in the same browser must get nowhere."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr, ValidationError
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from runtime.console import Console
from runtime.settings import Settings
from starters.console.app import create_console
from starters.console.guard import COOKIE, LOGIN_ATTEMPTS
from store.store import Store

PASSPHRASE = "a long passphrase of ours"
HOME = "http://127.0.0.1:8082"
ACME = {
    "capsule": {"token": "t" * 20},
    "freshbooks": {"token": "t" * 20, "account_id": "AbC123"},
}
PUBLIC = "https://console.firm.test"
Opened = Callable[..., httpx.AsyncClient]


@pytest.fixture
def opened(store: Store, temporal: Client, tmp_path: Path) -> Opened:
    """Return a browser of a console with these settings."""

    def browser(**settings: object) -> httpx.AsyncClient:
        console = Console.model_validate(settings)
        app = create_console(Settings(data=tmp_path, console=console), store, temporal)
        base = console.public_url or HOME
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base, headers={"Origin": base})

    return browser


async def csrf_of(browser: httpx.AsyncClient, path: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', (await browser.get(path)).text)
    assert found is not None
    return found[1]


async def test_another_name_of_this_machine_is_not_answered(opened: Opened) -> None:
    """Whoever rebinds a name of theirs to 127.0.0.1 reads nothing."""
    browser = opened()
    assert (await browser.get("/")).status_code == 200
    for host in ("evil.test", "evil.test:8082", "127.0.0.1.evil.test", "127.0.0.1@evil.test", ""):
        assert (await browser.get("/", headers={"Host": host})).status_code == 421, host


async def test_only_a_page_of_ours_can_press_a_button(opened: Opened) -> None:
    browser = opened()
    form = {"csrf": await csrf_of(browser, "/reports"), "choice": "skip"}
    pressed = await browser.post("/holds/decide", data=form)
    assert pressed.status_code == 400  # believed; it names no hold
    for origin in ("https://evil.test", "null", "http://127.0.0.1:9999", ""):
        answer = await browser.post("/holds/decide", data=form, headers={"Origin": origin})
        assert (answer.status_code, "did not come from" in answer.text) == (403, True), origin
    for token in ("", "0" * 64):
        assert (await browser.post("/holds/decide", data={**form, "csrf": token})).status_code == 403


async def test_a_token_of_another_session_is_worth_nothing(opened: Opened) -> None:
    browser = opened()
    token = await csrf_of(browser, "/reports")
    browser.cookies.clear()
    await browser.get("/")
    assert (await browser.post("/holds/decide", data={"csrf": token, "choice": "skip"})).status_code == 403


async def test_with_a_passphrase_nothing_is_shown_or_done_before_it_is_given(opened: Opened) -> None:
    browser = opened(passphrase=PASSPHRASE, public_url=PUBLIC)
    for path in ("/", "/holds", "/hold?id=x", "/records", "/record?connection=a&flow=b&id=c", "/reports", "/nowhere"):
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login"), path
    refresh = await browser.get("/", headers={"HX-Request": "true"})
    assert refresh.headers["hx-redirect"] == "/login"  # a part that refreshes itself leads there too
    form = {"csrf": await csrf_of(browser, "/login"), "choice": "skip", "hold": "x:y"}
    assert (await browser.post("/holds/decide", data=form)).headers["location"] == "/login"


async def test_the_passphrase_opens_a_session_of_its_own_until_it_is_ended(opened: Opened) -> None:
    browser = opened(passphrase=PASSPHRASE, public_url=PUBLIC)
    token = await csrf_of(browser, "/login")
    planted = browser.cookies[COOKIE]
    answer = await browser.post("/login", data={"csrf": token, "passphrase": PASSPHRASE})
    assert answer.headers["location"] == "/"
    kept = answer.headers["set-cookie"]
    assert all(word in kept for word in ("HttpOnly", "SameSite=strict", "Secure", "Path=/"))
    assert browser.cookies[COOKIE] != planted
    assert (await browser.get("/")).status_code == 200
    session = browser.cookies[COOKIE]
    await browser.post("/logout", data={"csrf": await csrf_of(browser, "/")})
    browser.cookies.set(COOKIE, session, domain="console.firm.test")
    assert (await browser.get("/")).status_code == 303


async def test_wrong_passphrases_are_few(opened: Opened) -> None:
    browser = opened(passphrase=PASSPHRASE, public_url=PUBLIC)
    token = await csrf_of(browser, "/login")
    wrong = {"csrf": token, "passphrase": "guess"}
    answers = [(await browser.post("/login", data=wrong)).status_code for _ in range(LOGIN_ATTEMPTS + 1)]
    assert answers == [403] * LOGIN_ATTEMPTS + [429]
    right = await browser.post("/login", data={"csrf": token, "passphrase": PASSPHRASE})
    assert right.status_code == 429  # a right guess among many is a guess


async def test_no_page_runs_scripts_of_others_or_is_framed_or_kept(opened: Opened) -> None:
    browser = opened()
    for path in ("/", "/holds", "/records", "/reports", "/search?q=<script>alert(1)</script>", "/static/console.css"):
        answer = await browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy, path
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert "<script>" not in answer.text
        assert not re.search(r"\s(style|on[a-z]+)=", answer.text)


def test_others_than_this_machine_need_a_passphrase() -> None:
    for settings in ({"host": "0.0.0.0"}, {"public_url": PUBLIC}, {"host": "0.0.0.0", "passphrase": "short"}):
        with pytest.raises(ValidationError, match="passphrase"):
            Console.model_validate(settings)
    with pytest.raises(ValidationError, match="https"):
        Console(public_url="http://console.firm.test", passphrase=SecretStr(PASSPHRASE))
    assert Console(host="localhost").passphrase is None


async def test_a_mistyped_address_is_answered_by_a_page(opened: Opened) -> None:
    browser = opened()
    for path, status in (
        ("/nowhere", 404),
        ("/holds?page=x", 400),
        ("/record?connection=a", 400),
        ("/report?id=x", 404),
    ):
        answer = await browser.get(path)
        assert (answer.status_code, "<h1>No such" in answer.text) == (status, True), path


async def test_a_person_without_temporal_is_told_that_nothing_was_begun(store: Store, tmp_path: Path) -> None:
    """F35: pages show the store all the same."""
    settings = Settings.model_validate({"data": tmp_path, "connections": {"acme": ACME}})
    nobody = await Client.connect("127.0.0.1:1", lazy=True, data_converter=pydantic_data_converter)
    app = create_console(settings, store, nobody)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=HOME, headers={"Origin": HOME}, timeout=30
    ) as browser:
        form = {"csrf": await csrf_of(browser, "/reports"), "connection": "acme", "flow": "clients"}
        answer = await browser.post("/reports/compare", data=form)
        assert (answer.status_code, "nothing was begun" in answer.text) == (503, True)
        assert (await browser.post("/reports/compare", data={**form, "connection": "other"})).status_code == 400
