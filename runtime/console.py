"""Where the console stands, and who may see it."""

import re
from ipaddress import ip_address
from typing import Self
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from runtime.fields import Port, Secret, Section

LEAST_PASSPHRASE = 12


class Console(Section):
    """The web page of operators. On loopback it asks for nothing; elsewhere it needs a passphrase."""

    host: str = "127.0.0.1"
    port: Port = 8082
    # Best given as env:NAME or file:PATH.
    passphrase: Secret | None = None
    # How browsers reach it through a reverse proxy; without it only names of this machine are answered.
    public_url: str | None = None

    @field_validator("public_url")
    @classmethod
    def _https(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if not re.fullmatch(r"https://[^/?#@]+/?", url):
            raise ValueError("write https:// and a name, without a path: passphrases are typed there")
        return url.rstrip("/").lower()

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if self.passphrase is not None and len(self.passphrase.get_secret_value()) < LEAST_PASSPHRASE:
            raise ValueError(f"a passphrase has at least {LEAST_PASSPHRASE} characters")
        if self.passphrase is None and (self.public_url is not None or not is_loopback(self.host)):
            raise ValueError("give a `passphrase`: others than this machine could open the console")
        return self

    @property
    def hosts(self) -> frozenset[str]:
        """The names under which browsers may ask for it, in lower case, without a port."""
        own = set() if self.host in {"0.0.0.0", "::"} else {self.host.lower()}  # noqa: S104 - compared, not listened on
        public = {urlsplit(self.public_url).hostname or ""} if self.public_url else set()
        return frozenset({"localhost", "127.0.0.1", "::1", *own, *public})


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
