"""Settings: a mistake is said with its place and what is allowed there; the environment overrules the file."""

from datetime import timedelta
from pathlib import Path

import pytest

from runtime.load import WrongSettings, explain, load_settings
from runtime.settings import Settings

TOKEN = "s3cret-capsule-token"
GOOD = """\
receiver:
  port: 8090
connections:
  acme:
    capsule:
      token: env:CAPSULE_TOKEN
    freshbooks:
      token: file:freshbooks.token
      account_id: sBx7Qz
    settle_time: 90s
"""


def loaded(content: str) -> Settings:
    """Return the settings of a file `ledgerline.yaml` with this content."""
    Path("ledgerline.yaml").write_text(content)
    return load_settings()


def mistakes(content: str) -> str:
    """Return what is said about a file with this content."""
    with pytest.raises(WrongSettings) as said:
        loaded(content)
    return str(said.value)


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPSULE_TOKEN", TOKEN)
    Path("freshbooks.token").write_text("s3cret-freshbooks-token\n")


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.connections == {}
    assert settings.receiver.port == 8080
    assert settings.store_url == f"sqlite+aiosqlite:///{tmp_path}/data/ledgerline.db"


def test_an_empty_file_is_no_mistake() -> None:
    assert loaded("# nothing yet\n") == Settings()


def test_secrets_come_from_the_environment_or_from_files(tokens: None) -> None:
    acme = loaded(GOOD).connections["acme"]
    assert acme.crm_account.token.get_secret_value() == TOKEN
    assert acme.freshbooks.token.get_secret_value() == "s3cret-freshbooks-token"
    assert acme.settle_time == timedelta(seconds=90)


def test_no_secret_is_shown_when_settings_are_printed(tokens: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGERLINE_DATABASE_URL", "postgresql://ledger:s3cret-password@db/books")
    settings = loaded(GOOD)
    assert settings.store_url == "postgresql://ledger:s3cret-password@db/books"
    assert "s3cret" not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"


def test_the_environment_overrules_the_file(tokens: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGERLINE_RECEIVER__PORT", "9000")
    monkeypatch.setenv("LEDGERLINE_CONNECTIONS__ACME__SETTLE_TIME", "5m")
    settings = loaded(GOOD)
    assert settings.receiver.port == 9000
    assert settings.connections["acme"].settle_time == timedelta(minutes=5)
    assert settings.connections["acme"].freshbooks.account_id == "sBx7Qz"


def test_another_file_can_be_named_by_path_or_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("ledgerline.yaml").write_text("receiver: {port: 1111}")
    Path("other.yaml").write_text("receiver: {port: 2222}")
    Path("third.yaml").write_text("receiver: {port: 3333}")
    assert load_settings().receiver.port == 1111
    monkeypatch.setenv("LEDGERLINE_CONFIG", "other.yaml")
    assert load_settings().receiver.port == 2222
    assert load_settings(Path("third.yaml")).receiver.port == 3333


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("log_level: loud", "ledgerline.yaml:1: log_level: Input should be 'debug', 'info', 'warning' or 'error'"),
        ("data: d\nreceiver:\n  port: 70000", "ledgerline.yaml:3: receiver.port: Input should be less than or equal"),
        ("receiver:\n  port: eighty", "ledgerline.yaml:2: receiver.port: Input should be a valid integer"),
        ("receiver: 8080", "ledgerline.yaml:1: receiver: Input should be"),
        (
            "receiver:\n  public_url: http://hooks.acme.test",
            "ledgerline.yaml:2: receiver.public_url: must begin with https://",
        ),
        ("receiver:\n  prot: 80", "ledgerline.yaml:2: receiver.prot: there is no such setting; did you mean `port`?"),
        ("sandbox:\n\n  records: -1", "ledgerline.yaml:3: sandbox.records: Input should be greater than or equal to 0"),
        ("connections:\n  Acme Ltd: {}", "ledgerline.yaml:2: connections.Acme Ltd: String should match pattern"),
        ("connections:\n  acme: {}", "ledgerline.yaml:2: connections.acme.freshbooks: is missing; it must be set"),
    ],
)
def test_a_mistake_is_said_with_its_line_and_what_is_allowed(written: str, said: str) -> None:
    assert said in mistakes(written)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("90s", "soon", ":10: connections.acme.settle_time: write a length of time such as 30s, 5m or 2h"),
        ("90s", "90", ":10: connections.acme.settle_time: write a length of time such as 30s, 5m or 2h"),
        ("sBx7Qz", "s B", ":9: connections.acme.freshbooks.account_id: String should match pattern"),
        (
            "env:CAPSULE_TOKEN",
            "env:NONE",
            ":6: connections.acme.capsule.token: the environment variable NONE is not",
        ),
        ("file:freshbooks.token", "file:none", ":8: connections.acme.freshbooks.token: the file none cannot be read"),
        ("    settle_time: 90s", "    settle: 90s", ":10: connections.acme.settle: there is no such setting"),
        (
            "    settle_time",
            "    clients: {sweep_every: 0.5 years}\n    settle_time",
            "clients.sweep_every: write a length",
        ),
        (
            "    settle_time",
            "    clients: {default_currency: euro}\n    settle_time",
            "default_currency: String should",
        ),
    ],
)
def test_a_mistake_within_a_connection_is_said_with_its_line(tokens: None, before: str, after: str, said: str) -> None:
    assert said in mistakes(GOOD.replace(before, after))


def test_all_mistakes_are_said_at_once() -> None:
    assert len(mistakes("log_level: loud\nreceiver: {port: 0}\ntemporal: {prt: 1}").splitlines()) == 3


def test_an_unknown_name_is_answered_with_all_that_may_stand_there() -> None:
    assert mistakes("temporal: {adress: x}").endswith("allowed here: port, ui_port")


def test_a_connection_may_be_called_like_a_setting(tokens: None) -> None:
    said = mistakes(GOOD.replace("  acme:", "  capsule:").replace("    settle_time", "    settle_tme"))
    assert "did you mean `settle_time`?" in said
    allowed = said.partition("allowed here: ")[2].split(", ")
    assert {"capsule", "clients", "freshbooks", "opportunities", "settle_time"} < set(allowed)
    assert "receiver" not in allowed


def test_a_mistake_in_the_environment_is_said_with_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGERLINE_RECEIVER__PORT", "eighty")
    with pytest.raises(WrongSettings, match=r"^LEDGERLINE_RECEIVER__PORT: receiver\.port: Input should be a valid int"):
        load_settings()


def test_broken_json_in_the_environment_is_said_without_quoting_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGERLINE_CONNECTIONS", '{"acme": s3cret')
    with pytest.raises(WrongSettings, match="connections") as said:
        load_settings()
    assert "s3cret" not in str(said.value)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("token: env:CAPSULE_TOKEN", "token: {s3: s3cret}"),
        ("token: env:CAPSULE_TOKEN", "token: [s3cret]"),
        ("token: env:CAPSULE_TOKEN", "token: s3cret\n      token: s3cret"),
        ("token: env:CAPSULE_TOKEN", "token: *s3cret"),
        ("token: env:CAPSULE_TOKEN", 'token: "s3cret'),
        ("account_id: sBx7Qz", "account_id: s3cret!"),
        ("settle_time: 90s", "settle_time: s3cret"),
    ],
)
def test_no_mistake_quotes_what_was_typed(tokens: None, before: str, after: str) -> None:
    """A secret in the wrong place, or typed wrongly, must not end in a terminal, a log or a ticket."""
    said = mistakes(GOOD.replace(before, after))
    assert said.startswith("ledgerline.yaml:")
    assert "s3cret" not in said


def test_no_traceback_shows_what_was_typed(tokens: None) -> None:
    with pytest.raises(WrongSettings) as said:
        loaded(GOOD.replace("sBx7Qz", "s3cret!"))
    assert said.value.__cause__ is None
    assert said.value.__suppress_context__


def test_a_later_check_can_say_where_its_setting_stands(tokens: None) -> None:
    Path("ledgerline.yaml").write_text(GOOD)
    place = explain(("connections", "acme", "freshbooks", "account_id"), "FreshBooks knows no such account")
    assert place == "ledgerline.yaml:9: connections.acme.freshbooks.account_id: FreshBooks knows no such account"


SANDBOX = """\
connections:
  sandbox:
    capsule: {token: made-up}
    freshbooks: {token: made-up, account_id: sBx7Qz}
"""


def test_where_no_account_is_configured_the_sandbox_is_used() -> None:
    Path("data").mkdir()
    Path("data/sandbox.yaml").write_text(SANDBOX)
    settings = loaded("receiver: {port: 8090}")
    assert list(settings.connections) == ["sandbox"]
    assert settings.receiver.port == 8090


def test_where_an_account_is_configured_the_sandbox_is_forgotten(tokens: None) -> None:
    Path("data").mkdir()
    Path("data/sandbox.yaml").write_text(SANDBOX)
    assert list(loaded(GOOD).connections) == ["acme"]


def test_a_damaged_sandbox_file_is_named() -> None:
    Path("data").mkdir()
    Path("data/sandbox.yaml").write_text("connections:\n  sandbox: {}\n")
    with pytest.raises(WrongSettings, match=r"data/sandbox\.yaml:2: connections\.sandbox\.freshbooks: is missing"):
        load_settings()


REGISTERED = """\
connections:
  acme:
    capsule:
      client_id: ours
      client_secret: env:CAPSULE_TOKEN
    freshbooks:
      client_id: ours
      client_secret: file:freshbooks.token
"""


def test_an_account_may_be_a_registered_application_that_a_person_connects(tokens: None) -> None:
    """S11, Z27: then the FreshBooks account is picked when it is connected."""
    acme = loaded(REGISTERED).connections["acme"]
    assert (acme.crm_account.is_registered, acme.freshbooks.is_registered) == (True, True)
    assert acme.crm_account.client_secret.get_secret_value() == TOKEN
    assert acme.freshbooks.account_id == ""
    assert acme.freshbooks.redirect_uri.startswith("https://")  # FreshBooks takes no other


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "client_id: ours\n      client_secret: env:CAPSULE_TOKEN",
            "base_url: x",
            ":3: connections.acme.capsule: give",
        ),
        ("      client_secret: env:CAPSULE_TOKEN\n", "", ":3: connections.acme.capsule: give either `token`, or"),
        ("client_secret: env:CAPSULE_TOKEN", "token: x", ":3: connections.acme.capsule: give either `token`, or"),
        (
            "client_secret: env:",
            "redirect_uri: http://acme.test/x\n      client_secret: env:",
            ":5: connections.acme.cap",
        ),
        ("client_secret: env:", "redirect_uri: https://acme.test/?a=b\n      client_secret: env:", "without a query"),
        (
            "client_id: ours\n      client_secret: file:freshbooks.token",
            "token: x",
            ":6: connections.acme.freshbooks: `account_id` must be set beside `token`",
        ),
    ],
)
def test_a_mistake_about_the_way_into_an_account_is_said_with_its_line(
    tokens: None, before: str, after: str, said: str
) -> None:
    assert said in mistakes(REGISTERED.replace(before, after, 1))


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8484/connected", "http://localhost:9/", "https://acme.test/back"]
)
def test_an_authorization_code_travels_in_clear_only_within_this_machine(tokens: None, address: str) -> None:
    """Z130."""
    written = REGISTERED.replace("client_id: ours", f"client_id: ours\n      redirect_uri: {address}", 1)
    assert loaded(written).connections["acme"].crm_account.redirect_uri == address


def test_no_client_secret_is_shown_when_settings_are_printed(tokens: None) -> None:
    """Z137."""
    settings = loaded(REGISTERED)
    assert "s3cret" not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"


ZOHO = """\
connections:
  acme:
    zoho_crm:
      client_id: ours
      client_secret: env:CAPSULE_TOKEN
      data_centre: eu
    freshbooks:
      client_id: ours
      client_secret: file:freshbooks.token
"""


def test_a_connection_may_have_zoho_crm_in_place_of_capsule(tokens: None) -> None:
    """Z27."""
    settings = loaded(ZOHO)
    acme = settings.connections["acme"]
    assert (acme.crm, list(acme.accounts), settings.crms) == (
        "zoho_crm",
        ["zoho_crm", "freshbooks"],
        {"acme": "zoho_crm"},
    )
    assert acme.zoho_crm is not None
    assert (acme.crm_account, acme.zoho_crm.data_centre) == (acme.zoho_crm, "eu")
    assert acme.reference_field == "Ledgerline_Reference"


ONE_CRM = ":2: connections.acme: give one CRM: either `capsule` or `zoho_crm` (a second CRM is a connection of its own)"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("    freshbooks", "    capsule: {token: x}\n    freshbooks", ONE_CRM),
        ("\n      client_id: ours\n      client_secret: env:CAPSULE_TOKEN\n      data_centre: eu", "", ONE_CRM),
        ("data_centre: eu", "data_centre: europe", ":6: connections.acme.zoho_crm.data_centre: Input should be 'us', "),
        ("data_centre: eu", "data_center: eu", "data_center: there is no such setting; did you mean `data_centre`?"),
        ("data_centre: eu", "requests_per_minute: 0", ":6: connections.acme.zoho_crm.requests_per_minute: "),
        ("data_centre: eu", "redirect_uri: http://acme.test/back", ":6: connections.acme.zoho_crm.redirect_uri: write"),
        ("client_secret: env:CAPSULE_TOKEN", "token: x", ":3: connections.acme.zoho_crm: give either `token`, or"),
    ],
    ids=["two CRMs", "an empty CRM", "centre", "misspelt", "pace", "redirect", "two ways in"],
)
def test_a_mistake_about_zoho_is_said_with_its_line(tokens: None, before: str, after: str, said: str) -> None:
    assert said in mistakes(ZOHO.replace(before, after, 1))


def test_a_connection_without_a_crm_is_refused_with_its_line(tokens: None) -> None:
    written = f"{ZOHO.partition('    zoho_crm')[0]}    freshbooks{ZOHO.partition('    freshbooks')[2]}"
    assert ONE_CRM in mistakes(written)


def test_a_code_of_zohos_console_comes_without_a_redirect(tokens: None) -> None:
    """Z27: only where the system has such codes may the address be left empty."""
    assert (
        loaded(ZOHO.replace("data_centre: eu", 'redirect_uri: ""')).connections["acme"].crm_account.redirect_uri == ""
    )
    said = mistakes(REGISTERED.replace("client_id: ours", 'client_id: ours\n      redirect_uri: ""', 1))
    assert ":5: connections.acme.capsule.redirect_uri: write an https:// address" in said


@pytest.mark.parametrize("name", ["Ledgerline reference", "Contacts.Our_Reference", "2nd", "Réf", "a-b"])
def test_in_zoho_our_field_goes_by_its_api_name(tokens: None, name: str) -> None:
    """Z36: by any other name it would never be found."""
    said = mistakes(f"{ZOHO}    clients: {{reference_field: {name}}}\n")
    assert ":2: connections.acme: in Zoho CRM `clients.reference_field` is the API name of a field, such as" in said


def test_in_capsule_our_field_goes_by_any_name(tokens: None) -> None:
    written = GOOD.replace("    settle_time", "    clients: {reference_field: Our reference}\n    settle_time")
    assert loaded(written).connections["acme"].reference_field == "Our reference"
    assert (
        loaded(f"{ZOHO}    clients: {{reference_field: Our_Ref2}}\n").connections["acme"].reference_field == "Our_Ref2"
    )
