"""Where alerts and heartbeats may go."""

from pathlib import Path

import pytest
from apprise import Apprise
from pydantic import SecretStr

from runtime.alert_urls import ENCRYPTED, PLAIN, allowed_channel, allowed_heartbeat
from runtime.load import WrongSettings, load_settings
from runtime.settings import Settings

PASSWORD = "plum-pudding"


def test_every_kind_of_channel_that_we_name_is_one_that_apprise_knows() -> None:
    """A name with a slip in it would refuse what somebody needs. `https` stands for services' own webhook addresses."""
    known = {
        scheme
        for service in Apprise().details()["schemas"]
        for scheme in [*(service["protocols"] or []), *(service["secure_protocols"] or [])]
    }
    assert set(f"{ENCRYPTED}|{PLAIN}".split("|")) - known == {"https"}


@pytest.mark.parametrize(
    "url",
    [
        "mailtos://ledgerline:secret@mail.acme.test?to=ops@acme.test",
        "slack://TokenA/TokenB/TokenC/#ops",
        "https://hooks.slack.com/services/T1/B1/x",
        "jsons://10.1.2.3/alerts",
        "json://127.0.0.1:8099/alerts",
        "json://[::1]:8099/alerts",
        "json://[::ffff:127.0.0.1]/alerts",
        "mailto://192.168.1.10?to=ops@acme.test",
        "ntfy://ntfy/ledgerline",
        "gotify://localhost/token",
    ],
)
def test_encrypted_channels_and_those_of_the_own_network_are_allowed(url: str) -> None:
    assert allowed_channel(SecretStr(url)).get_secret_value() == url


@pytest.mark.parametrize(
    "url",
    [
        "json://93.184.216.34/alerts",
        "json://hooks.acme.test/alerts",
        "mailto://mail.acme.test?to=ops@acme.test",
        "json://169.254.169.254/latest/meta-data",  # where clouds keep the credentials of a machine
        "json://[::ffff:169.254.169.254]/",
        "json://[::ffff:8.8.8.8]/",
        "json://134744072/",  # 8.8.8.8 in disguise
        "json://100.64.0.1/",  # the provider's network, not the firm's
        "json://0.0.0.0/",
        "json://",
    ],
)
def test_a_channel_that_is_not_encrypted_is_refused_beyond_the_own_network(url: str) -> None:
    with pytest.raises(ValueError, match="not encrypted"):
        allowed_channel(SecretStr(url))


@pytest.mark.parametrize(
    "url", ["syslog://", "dbus://", "macosx://", "windows://", "gnome://", "script://x", "ftp://x", "plain words", ""]
)
def test_what_acts_on_this_machine_is_no_channel(url: str) -> None:
    with pytest.raises(ValueError, match="not a channel that alerts may be sent through; begin with mailtos://"):
        allowed_channel(SecretStr(url))


@pytest.mark.parametrize("url", ["http://hc.acme.test/ping", "ftp://hc.acme.test", "hc.acme.test", "http://8.8.8.8/"])
def test_a_heartbeat_goes_encrypted_or_stays_in_the_own_network(url: str) -> None:
    with pytest.raises(ValueError, match="must begin with https://"):
        allowed_heartbeat(SecretStr(url))
    for fine in ("https://hc.acme.test/ping", "http://127.0.0.1:9/ping", "http://monitor/ping"):
        assert allowed_heartbeat(SecretStr(fine)).get_secret_value() == fine


def test_addresses_come_from_the_environment_and_are_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Z137."""
    monkeypatch.setenv("OPS", f"slack://{PASSWORD}/b/c")
    monkeypatch.setenv("MONITOR", f"https://hc.test/{PASSWORD}")
    settings = _loaded(tmp_path, "alerts: {urls: [env:OPS], heartbeat_url: env:MONITOR, group_for: 2m}")
    assert [url.get_secret_value() for url in settings.alerts.urls] == [f"slack://{PASSWORD}/b/c"]
    assert settings.alerts.group_for.total_seconds() == 120
    assert PASSWORD not in repr(settings)


def test_a_wrong_address_is_named_by_its_place_and_not_quoted(tmp_path: Path) -> None:
    """Z137."""
    with pytest.raises(WrongSettings) as refused:
        _loaded(tmp_path, f"alerts:\n  urls:\n    - json://127.0.0.1/\n    - json://{PASSWORD}.test/{PASSWORD}\n")
    assert "alerts.urls.1: is not encrypted" in str(refused.value)
    assert PASSWORD not in str(refused.value)


def _loaded(folder: Path, text: str) -> Settings:
    file = folder / "ledgerline.yaml"
    file.write_text(text)
    return load_settings(file)
