"""What settings are made of: lengths of time, secrets that may stand elsewhere, addresses, ports."""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    match = DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("write a length of time such as 30s, 5m or 2h")
    return timedelta(**{UNITS[match[2]]: float(match[1])})


def _secret(value: object) -> object:
    """Follow `env:NAME` and `file:PATH`, so that the settings file itself can stay free of secrets."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(text, str) and text.startswith("env:"):
        name = text.removeprefix("env:")
        if not os.environ.get(name):
            raise ValueError(f"the environment variable {name} is not set")
        return os.environ[name]
    if isinstance(text, str) and text.startswith("file:"):
        path = Path(text.removeprefix("file:"))
        try:
            return path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"the file {path} cannot be read") from error
    return value


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("write an IANA time zone such as Europe/Berlin") from error
    return name


def _optional_redirect_uri(address: str) -> str:
    return _redirect_uri(address) if address else address


def _redirect_uri(address: str) -> str:
    parts = urlsplit(address)
    here = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}
    if not (parts.scheme == "https" or here) or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("write an https:// address (or http://127.0.0.1:PORT/…) without a query, as you registered it")
    return address


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Secret = Annotated[SecretStr, BeforeValidator(_secret)]
Port = Annotated[int, Field(ge=1, le=65535)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
RedirectUri = Annotated[str, AfterValidator(_redirect_uri)]
OptionalRedirectUri = Annotated[str, AfterValidator(_optional_redirect_uri)]


class Section(BaseModel):
    """A part of the settings: unknown names are mistakes, not wishes."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
