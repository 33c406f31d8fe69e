"""Where alerts and heartbeats may go: network services that firms use, encrypted beyond the firm's own network.

An address is the operator's own, like the addresses of the systems, so an encrypted one may lead anywhere, also into
the firm's network. What is shut out is what nobody needs and a slip would turn against us: plugins that act on this
machine (desktop, syslog, programs), and passwords in clear across the internet.
"""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

# In the words of apprise: https://appriseit.com/services/
ENCRYPTED = (
    "apprises|azure|betterstack|brevo|cliq|discord|forms|gchat|goalerts|gotifys|https|ilert|incidentio|jsons|mailgun"
    "|mailtos|matrixs|mmosts|nctalks|ntfys|o365|opsgenie|pagerduty|pagertree|postmark|pover|resend|rockets|sendgrid"
    "|ses|signals|signl4|slack|sns|sparkpost|spike|splunk|squadcast|synologys|tgram|threema|twilio|victorops|vonage"
    "|webex|workflow|workflows|wxteams|xmls|zcliq|zulip"
)
PLAIN = "apprise|form|gotify|json|mailto|matrix|mmost|nctalk|ntfy|rocket|signal|synology|xml"
EXAMPLES = "mailtos://, slack://, workflows:// (Teams), discord://, pagerduty://, ntfys://, jsons:// and others"


def allowed_channel(url: SecretStr) -> SecretStr:
    """Return the address of a channel if alerts may be sent there. Raises ValueError, which never quotes it."""
    parts = _split(url)
    if not re.fullmatch(f"{ENCRYPTED}|{PLAIN}", parts.scheme):
        raise ValueError(f"is not a channel that alerts may be sent through; begin with {EXAMPLES}; see docs/alerts.md")
    if re.fullmatch(PLAIN, parts.scheme) and not _in_own_network(parts.hostname):
        raise ValueError("is not encrypted, and that is allowed only within your own network: use the kind with an s")
    return url


def allowed_heartbeat(url: SecretStr) -> SecretStr:
    """Return the address of a heartbeat monitor if it may be called. Raises ValueError, which never quotes it."""
    parts = _split(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _in_own_network(parts.hostname)):
        raise ValueError("must begin with https://")
    return url


def _split(url: SecretStr) -> SplitResult:
    try:
        parts = urlsplit(url.get_secret_value().strip())
        _ = parts.hostname
    except ValueError:  # it would quote what it could not read
        raise ValueError("is not an address") from None
    return parts


def _in_own_network(host: str | None) -> bool:
    """Return whether a host is this machine, an address of a private network, or a name without a dot."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        # A number is an address in disguise: 134744072 is 8.8.8.8.
        return host is not None and re.fullmatch(r"[a-z][^.]*", host) is not None
    address = getattr(address, "ipv4_mapped", None) or address
    # Link-local is where clouds keep the credentials of their machines.
    return address.is_private and not address.is_link_local and not address.is_unspecified
