"""`ledgerline up` as its users meet it: everything real, everything in processes."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.processes import Up, environment, gone, ledgerline, running

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]


CRMS = ("capsule", "zoho_crm")


class Books:
    """A FreshBooks of a running system."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def clients(self) -> list[dict[str, Any]]:
        """Return every client."""
        return list(httpx.get(f"{self.url}/_sandbox/records/client").json()["records"])

    def documents(self, kind: str) -> list[dict[str, Any]]:
        """Return every estimate, or every invoice."""
        return list(httpx.get(f"{self.url}/_sandbox/records/{kind}").json()["records"])

    def client_writes(self) -> int:
        """Return how many writes of clients FreshBooks has accepted."""
        return len(httpx.get(f"{self.url}/_sandbox/ledger?kind=client").json()["entries"])

    def knows(self, email: str) -> bool:
        """Return whether a client has this address."""
        return any(client["email"] == email for client in self.clients())


class Sandbox(Books):
    """The sandbox of a running system, as a script would use it: Capsule and its FreshBooks, and Zoho CRM with its."""

    def __init__(self, up: Up) -> None:
        super().__init__(up.port("sandbox.freshbooks_port"))
        self.capsule, self.zoho_crm = (f"http://127.0.0.1:{up.port(f'sandbox.{each}_port')}" for each in CRMS)
        self.zoho_books = Books(up.port("sandbox.zoho_freshbooks_port"))

    def create_person(self, name: str, email: str) -> None:
        """Create a person in Capsule."""
        person = {"type": "person", "firstName": "Eva", "lastName": name, "emailAddresses": [{"address": email}]}
        headers = {"Authorization": f"Bearer {_token(self.capsule)}"}
        httpx.post(f"{self.capsule}/api/v2/parties", json={"party": person}, headers=headers).raise_for_status()

    def create_contact(self, name: str, email: str) -> None:
        """Create a contact in Zoho CRM."""
        contact = {"First_Name": "Eva", "Last_Name": name, "Email": email}
        headers = {"Authorization": f"Zoho-oauthtoken {_token(self.zoho_crm)}"}
        httpx.post(f"{self.zoho_crm}/crm/v8/Contacts", json={"data": [contact]}, headers=headers).raise_for_status()

    def contacts(self) -> set[str]:
        """Return the addresses of the contacts in Zoho CRM, of those that have one."""
        contacts = httpx.get(f"{self.zoho_crm}/_sandbox/records/Contacts").json()["records"]
        return {contact["Email"] for contact in contacts if contact["Email"]}

    def knows_all_contacts(self) -> bool:
        """Return whether the books beside Zoho CRM have a client for each of them."""
        return all(self.zoho_books.knows(email) for email in self.contacts())


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("up")
    with running(folder, environment(folder, LEDGERLINE_SANDBOX__RECORDS="20")) as system:
        yield system


def test_parties_that_were_there_before_the_first_start_all_become_clients_once(up: Up) -> None:
    """S60, Z10, F5."""
    sandbox = Sandbox(up)
    _eventually(lambda: len(sandbox.clients()) >= 20, within=90)
    notes = {client["note"] for client in sandbox.clients()}
    assert len(sandbox.clients()) == len(notes) == 20


def test_a_change_in_capsule_is_in_freshbooks_within_two_seconds(up: Up) -> None:
    """S1, S21. The best of three: the machine may be at other tests, but a sweep would take longer each time."""
    sandbox = Sandbox(up)
    _eventually(lambda: len(sandbox.clients()) >= 20 and sandbox.knows_all_contacts(), within=90)
    assert min(_seconds_until_known(sandbox, f"eva-{number}@schnell.example") for number in range(3)) < 2


def _seconds_until_known(sandbox: Sandbox, email: str) -> float:
    """Enter a person in Capsule; return after how many seconds FreshBooks has the client."""
    sandbox.create_person("Schnell", email)
    began = time.monotonic()
    _eventually(lambda: sandbox.knows(email), within=10)
    return time.monotonic() - began


def test_zoho_crm_is_kept_in_step_beside_capsule_with_books_of_its_own(up: Up) -> None:
    """Z10, Z74: what was there before the first start too, and nothing of it gets into the other books."""
    sandbox = Sandbox(up)
    sandbox.create_contact("Rasch", "eva@rasch.example")
    emails = sandbox.contacts()
    assert len(emails) > 1
    _eventually(sandbox.knows_all_contacts, within=90)
    notes = [client["note"] for client in sandbox.zoho_books.clients()]
    assert len(notes) == len(set(notes))
    assert not any(sandbox.knows(email) for email in emails)


def test_a_newcomer_sees_estimates_and_invoices_within_a_minute(up: Up) -> None:
    """S19, S38: of what is for sale in both CRMs from the start; what has not come so far has none."""
    sandbox = Sandbox(up)
    for books, estimates, invoices in ((sandbox, 2, 1), (sandbox.zoho_books, 1, 1)):

        def sold(books: Books = books, wanted: tuple[int, int] = (estimates, invoices)) -> bool:
            return (len(books.documents("estimate")), len(books.documents("invoice"))) == wanted

        _eventually(sold, within=60)
    amounts = {each["amount"]["amount"] for each in sandbox.documents("estimate")}
    assert amounts == {"1250.50", "4800.00"}
    assert ": opportunity " in up.output()
    assert "→ estimate " in up.output()


def test_the_story_of_an_estimate_is_told_by_its_id(up: Up) -> None:
    """S44: why does it say this amount?"""
    sandbox = Sandbox(up)
    _eventually(lambda: len(sandbox.documents("estimate")) == 2, within=60)
    estimate = sandbox.documents("estimate")[0]["id"]
    said = up.command("audit", "explain", f"estimate:{estimate}", "amount", "--connection", "sandbox").stdout
    assert f"amount of estimate {estimate} (of opportunity " in said
    assert "The rule was: from the opportunity's value; owner crm, both (estimate)" in said
    shown = up.command("status").stdout
    assert "estimates in step" in shown
    assert "opportunities swept until" in shown


def test_the_addresses_of_all_stand_ins_are_shown(up: Up) -> None:
    shown = up.output()
    for name in ("capsule_port", "freshbooks_port", "zoho_crm_port", "zoho_freshbooks_port"):
        assert f"http://127.0.0.1:{up.port(f'sandbox.{name}')}" in shown


def test_the_doctor_finds_nothing_wrong_with_a_running_system(up: Up) -> None:
    """Z20."""
    found = up.command("doctor")
    assert found.returncode == 0, found.stdout
    assert "sandbox: capsule: account" in found.stdout
    assert "sandbox: capsule: opportunities: every milestone that the settings name exists" in found.stdout
    assert "sandbox-zoho: freshbooks: owners: " in found.stdout
    assert "sandbox-zoho: zoho_crm: account" in found.stdout
    assert "freshbooks: account" in found.stdout


def test_a_wrong_token_is_named_and_nothing_is_lost_until_it_is_mended(tmp_path: Path) -> None:
    """S49, Z113."""
    with _separate_sandbox(tmp_path, records=3) as (capsule, freshbooks):
        settings = environment(tmp_path)
        _write_connection(tmp_path, capsule, freshbooks, token="wrong")
        with running(tmp_path, settings) as up:
            report = up.command("doctor")
            assert report.returncode == 1
            said = " ".join(report.stdout.split())
            # The first sweep may have found it out before: then the hold of the account is what is said.
            found_out = "Capsule does not accept the token in the settings (connections.acme.capsule.token)"
            assert found_out in said or "capsule: Capsule refused to read the site (HTTP 401)" in said
        _write_connection(tmp_path, capsule, freshbooks, token=_token(capsule))
        with running(tmp_path, settings):
            records = f"{freshbooks}/_sandbox/records/client"
            _eventually(lambda: len(httpx.get(records).json()["records"]) == 3, within=60)


def test_the_status_counts_what_is_in_step(up: Up) -> None:
    sandbox = Sandbox(up)
    _eventually(lambda: len(sandbox.clients()) >= 20, within=90)
    shown = up.command("status").stdout
    assert "clients in step" in shown
    assert "@" not in shown  # no personal data


def test_a_second_up_in_the_same_folder_says_so(up: Up) -> None:
    second = up.command("up")
    assert second.returncode == 2
    assert "another `ledgerline up`" in second.stderr
    assert "Traceback" not in second.stderr


def test_ctrl_c_stops_everything_and_a_second_start_writes_nothing(tmp_path: Path) -> None:
    """F4, F15: links and cursors survive a restart."""
    settings = environment(tmp_path, LEDGERLINE_SANDBOX__RECORDS="8")
    with running(tmp_path, settings) as first:
        sandbox = Sandbox(first)
        _eventually(lambda: len(sandbox.clients()) == 8, within=90)
        _eventually(lambda: _in_step(first) == 8, within=90)  # the last create has been answered and taken down
        children = first.children()
        assert first.interrupt() == 0
        assert gone(children, within=30)
    with running(tmp_path, settings) as second:
        sandbox, writes = Sandbox(second), Sandbox(second).client_writes()
        time.sleep(3)  # the sweep runs at the start
        assert (len(sandbox.clients()), sandbox.client_writes()) == (8, writes)
        children = second.children()
        second.process.send_signal(signal.SIGKILL)
        assert gone(children, within=60), "a crash of `up` left processes behind"


def _in_step(up: Up) -> int:
    standings = json.loads(up.command("status", "--json", "--connection", "sandbox").stdout)["standings"]
    return sum(each["count"] for each in standings if each["flow"] == "clients" and each["state"] == "in-step")


def test_a_taken_port_is_named_with_the_setting_that_moves_it(tmp_path: Path) -> None:
    settings = environment(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        found = ledgerline({**settings, "LEDGERLINE_RECEIVER__PORT": str(port)}, "up")
    assert found.returncode == 2
    assert f"port {port} is taken" in found.stderr
    assert "receiver.port" in found.stderr
    assert "Traceback" not in found.stderr


def test_a_mistake_in_the_settings_is_shown_with_file_and_line(tmp_path: Path) -> None:
    settings = environment(tmp_path)
    (tmp_path / "ledgerline.yaml").write_text("receiver:\n  prot: 8080\n")
    found = ledgerline(settings, "status")
    assert found.returncode == 2
    assert f"{tmp_path / 'ledgerline.yaml'}:2: receiver.prot" in found.stderr
    assert "did you mean `port`" in found.stderr


@contextmanager
def _separate_sandbox(folder: Path, records: int) -> Iterator[tuple[str, str]]:
    """Run the sandbox as if it were somebody's real accounts; give both addresses."""
    command = [sys.executable, "-m", "sandbox", "--capsule-port", "0", "--freshbooks-port", "0"]
    command += ["--ledger", str(folder / "ledger.jsonl"), "--records", str(records)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    addresses = json.loads(process.stdout.readline())
    try:
        yield addresses["capsule"], addresses["freshbooks"]
    finally:
        process.terminate()
        process.communicate()


def _write_connection(folder: Path, capsule: str, freshbooks: str, token: str) -> None:
    books = _info(freshbooks)
    (folder / "ledgerline.yaml").write_text(
        f"""
connections:
  acme:
    capsule: {{token: {token}, base_url: "{capsule}", requests_per_hour: 36000}}
    freshbooks:
      token: {books["tokens"]["access"]}
      base_url: "{freshbooks}"
      account_id: {books["account_id"]}
      requests_per_minute: 6000
"""
    )


def _info(url: str) -> dict[str, Any]:
    return dict(httpx.get(f"{url}/_sandbox/info").json())


def _token(url: str) -> str:
    return str(_info(url)["tokens"]["access"])


def test_a_mistake_in_a_mapping_stops_the_start_and_shows_its_line(tmp_path: Path) -> None:
    settings = environment(tmp_path)
    (tmp_path / "ledgerline.yaml").write_text(
        """
connections:
  acme:
    capsule: {token: x}
    freshbooks: {token: y, account_id: abc}
    clients:
      mapping:
        fax: {from: phoneNumbers, transforms: [nope]}
"""
    )
    found = ledgerline(settings, "up")
    assert found.returncode == 2
    assert f"{tmp_path / 'ledgerline.yaml'}:8: connections.acme.clients.mapping.fax" in found.stderr.replace("\n", "")
    assert "Traceback" not in found.stderr


def _eventually(check: Any, within: float) -> None:
    deadline = time.monotonic() + within
    while not check():
        assert time.monotonic() < deadline, f"not within {within:.0f} s"
        time.sleep(0.05)
