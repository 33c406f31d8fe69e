"""The OAuth tokens and authorisation codes of one stand-in."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from time import time

from sandbox.ledger import Record
from sandbox.records import Records

CODE_LIFE = 300.0
"""Seconds for which an authorisation code can be exchanged."""


@dataclass(frozen=True)
class Code:
    """What was consented to, until it is exchanged once."""

    client_id: str
    redirect_uri: str
    scope: str
    challenge: str
    challenge_method: str
    expires: float


class Tokens:
    """Issues, rotates, finds and revokes tokens. They are records like any other (kind `token`), so they outlive a
    restart; codes do not.

    `mint` makes the text of a token from its kind (`access`, `refresh`, `code`) and a number.
    """

    def __init__(self, records: Records, mint: Callable[[str, int], str], lifetime: int) -> None:
        self._records, self._mint, self._lifetime = records, mint, lifetime
        self._by_text: dict[str, int] = {}
        self._codes: dict[str, Code] = {}
        self._code_count = 0
        records.watch("token", self._index)

    def seed(self, scope: str, *, client_id: str | None, user_id: int, role: str) -> Record:
        """Add a token that was there from the start and does not expire; with a client also a refresh token."""
        record = self._new(scope, client_id, user_id, role, None)
        self._records.seed("token", record["id"], record)
        return record

    def issue(self, scope: str, *, client_id: str, user_id: int, role: str) -> Record:
        """Make a pair of access and refresh token."""
        record = self._new(scope, client_id, user_id, role, self._lifetime)
        self._records.commit("create", "token", record["id"], record)
        return record

    def rotate(self, refresh_token: str, client_id: str) -> Record | None:
        """Exchange a refresh token, once; None if it is unknown, used, revoked or another application's."""
        old = self._find(refresh_token)
        usable = old and old["refresh_token"] == refresh_token and not (old["refresh_used"] or old["revoked"])
        if old is None or not usable or old["client_id"] != client_id:
            return None
        self._records.commit("update", "token", old["id"], {**old, "refresh_used": True})
        return self.issue(old["scope"], client_id=client_id, user_id=old["user_id"], role=old["role"])

    def live(self, access_token: str) -> Record | None:
        """Return the token record of an access token that is neither expired nor revoked."""
        record = self._find(access_token)
        if record is None or record["access_token"] != access_token or record["revoked"]:
            return None
        life = record["expires_in"]
        return record if life is None or time() < record["issued_at"] + life else None

    def known(self, access_token: str) -> Record | None:
        """Return the token record of an access token that was ever issued."""
        return self._find(access_token)

    def revoke_access(self, access_token: str) -> None:
        """End an access token as if an administrator had: its refresh token still works."""
        record = self._find(access_token)
        if record:
            # `expires_in` 0 ends the access token alone.
            self._records.commit("update", "token", record["id"], {**record, "expires_in": 0})

    def revoke(self, text: str) -> None:
        """End an access token and its refresh token, named by either."""
        record = self._find(text)
        if record:
            self._records.commit("update", "token", record["id"], {**record, "revoked": True})

    def new_code(self, client_id: str, redirect_uri: str, scope: str, challenge: str, method: str) -> str:
        """Make an authorisation code."""
        self._code_count += 1
        text = self._mint("code", self._code_count)
        self._codes[text] = Code(client_id, redirect_uri, scope, challenge, method, time() + CODE_LIFE)
        return text

    def take_code(self, text: str, client_id: str, verifier: str) -> Code | None:
        """Return what a code stands for and spend it; None if it is unknown, spent, expired or not the caller's."""
        code = self._codes.pop(text, None)
        if code is None or code.client_id != client_id or time() > code.expires:
            return None
        return code if _proves(code, verifier) else None

    def forget_codes(self) -> None:
        """Forget all codes that were not exchanged."""
        self._codes.clear()
        self._code_count = 0

    def _new(self, scope: str, client_id: str | None, user_id: int, role: str, lifetime: int | None) -> Record:
        number = self._records.next_id("token")
        return {
            "id": number,
            "client_id": client_id,
            "user_id": user_id,
            "role": role,
            "scope": scope,
            "access_token": self._mint("access", number),
            "refresh_token": self._mint("refresh", number) if client_id else None,
            "refresh_used": False,
            "revoked": False,
            "issued_at": int(time()),
            "expires_in": lifetime,
        }

    def _find(self, text: str) -> Record | None:
        number = self._by_text.get(text)
        return None if number is None else self._records.get("token", number)

    def _index(self, _before: Record | None, after: Record | None) -> None:
        if after:
            self._by_text[after["access_token"]] = after["id"]
            if after["refresh_token"]:
                self._by_text[after["refresh_token"]] = after["id"]


def minted(seed: int, system: str, kind: str, number: int) -> str:
    """Return 64 hexadecimal characters that are the same for the same seed."""
    return hmac.new(f"sandbox {seed}".encode(), f"{system} {kind} {number}".encode(), hashlib.sha256).hexdigest()


def _proves(code: Code, verifier: str) -> bool:
    """Return whether a PKCE verifier fits (RFC 7636); a code without a challenge needs none."""
    if not code.challenge:
        return True
    digest = hashlib.sha256(verifier.encode()).digest()
    hashed = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return code.challenge == (verifier if code.challenge_method == "plain" else hashed)
