"""A person's consent at the sandbox, and tokens at any point of their life."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from pydantic import SecretStr

from connectors.oauth import OAuth, Tokens
from sandbox.app import Sandbox
from sandbox.service import Service
from store.tokens import Grant

LIFE = timedelta(hours=12)
REDIRECT = "http://127.0.0.1:8484/connected"


def registered(service: Service, base_url: str, **more: Any) -> dict[str, Any]:
    """Return the settings of an account that a person connects, as our application is registered with a stand-in."""
    return {**service.about()["oauth"], "redirect_uri": REDIRECT, "base_url": base_url, **more}


async def consent(oauth: OAuth, http: httpx.AsyncClient, *scopes: str) -> Tokens:
    """Agree, as a person does in the browser, and exchange the code."""
    asked = oauth.authorization(scopes)
    redirect = await http.get(asked.url)
    code = parse_qs(urlsplit(redirect.headers["location"]).query)["code"][0]
    return await oauth.exchange(SecretStr(code), asked.code_verifier)


def grant(tokens: Tokens, *, age: timedelta = timedelta(0), life: timedelta = LIFE) -> Grant:
    """Return what was granted, as old as a test wants it."""
    issued_at = datetime.now(UTC) - age
    return Grant(tokens.access, tokens.refresh, tokens.scope, issued_at, issued_at + life)


def renewals(sandbox: Sandbox, system: str = "freshbooks") -> int:
    """Return how many refresh tokens were exchanged."""
    return sum(each["refresh_used"] for each in _tokens(sandbox, system))


def reuses(sandbox: Sandbox, system: str = "freshbooks") -> int:
    """Return how often a refresh token came back that had been exchanged before."""
    return sum(each.get("refresh_reuses", 0) for each in _tokens(sandbox, system))


def _tokens(sandbox: Sandbox, system: str) -> list[dict[str, Any]]:
    service = sandbox.freshbooks_service if system == "freshbooks" else sandbox.capsule_service
    return service.records.all("token")
