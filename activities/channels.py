"""The channels through which people are told: apprise's services, one for each address in the settings.

An address holds a password or a token. Nothing of it may reach a log: apprise and the HTTP library under it name hosts,
paths and answers in theirs, so both are cut off here, and what went wrong is told by status alone.
"""

import logging
import re

from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType
from apprise.plugins import NotifyBase
from pydantic import SecretStr

# One message to one channel. A mail server may take its time to greet (apprise connects for up to 15 s).
MESSAGE_SECONDS = 30.0
STATUS = re.compile(r"error=(\d{3})\b")


class UnusableChannel(Exception):
    """An address that no service can be made of. The text does not quote it."""


class Channel:
    """One address that alerts are sent to. `number` is its place in the settings, from 1."""

    def __init__(self, number: int, url: SecretStr) -> None:
        _keep_libraries_quiet()
        asset = AppriseAsset(
            app_id="Ledgerline",
            app_desc="Ledgerline",
            app_url="",
            image_url_logo="",
            image_url_mask="",
            http_redirects=False,  # an address that moved is the operator's to correct, not a stranger's
            service_timeout=MESSAGE_SECONDS,
        )
        service = Apprise.instantiate(url.get_secret_value().strip(), asset=asset, suppress_exceptions=True)
        if not isinstance(service, NotifyBase):
            raise UnusableChannel("cannot be read as an address of its service; see docs/alerts.md")
        self.number = number
        self._apprise = Apprise([service], asset=asset)
        self._service = str(service.service_name)

    @property
    def name(self) -> str:
        """How people know it: its place in the settings and its service, such as `channel 1 (Slack)`."""
        return f"channel {self.number} ({self._service})"

    async def send(self, subject: str, text: str) -> str | None:
        """Send one message and return what went wrong, None if the channel has taken it.

        Whatever is not a clear yes counts as not taken, also a message that may have arrived: it is sent again.
        """
        result = await self._apprise.async_notify(
            body=text, title=subject, notify_type=NotifyType.WARNING, body_format=NotifyFormat.TEXT
        )
        if result:
            return None
        statuses = [match[1] for entry in result.logs() if (match := STATUS.search(entry.message))]
        return f"HTTP {statuses[-1]}" if statuses else "no answer, or refused"


def _keep_libraries_quiet() -> None:
    for name in ("apprise", "urllib3"):
        library = logging.getLogger(name)
        library.propagate = False
        if not library.handlers:  # else Python would print warnings itself
            library.addHandler(logging.NullHandler())
