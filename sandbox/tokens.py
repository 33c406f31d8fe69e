"""The OAuth tokens and authorisation codes of one stand-in."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from time import time

from sandbox.ledger import Record
from sandbox.records import Records
from sandbox.settings import OAuthSettings, Settings

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
    restart; codes do not. All tokens that came of one consent share its `grant_id`.

    `mint` makes the text of a token from its kind (`access`, `refresh`, `code`) and a number. `lifetime` is how many
    seconds the next access token works, unless the settings say otherwise; `code_life` is how many
    seconds a code can be exchanged.
    """

    def __init__(
        self,
        records: Records,
        mint: Callable[[str, int], str],
        lifetime: int,
        settings: Settings | None = None,
        code_life: float = CODE_LIFE,
    ) -> None:
        self._records, self._mint, self.lifetime, self._code_life = records, mint, lifetime, code_life
        self._settings = settings or Settings()
        self.rotations = 0
        """How many refreshes succeeded since the start, whether or not their callers heard of it."""
        self._by_text: dict[str, int] = {}
        self._codes: dict[str, Code] = {}
        self._code_count = 0
        records.watch("token", self._index)

    def seed(self, scope: str, *, client_id: str | None, user_id: int, role: str) -> Record:
        """Add a token that was there from the start and does not expire; with a client also a refresh token."""
        record = self._new(scope, client_id, user_id, role, None)
        self._records.seed("token", record["id"], record)
        return record

    def issue(
        self,
        scope: str,
        *,
        client_id: str,
        user_id: int,
        role: str,
        grant_id: int | None = None,
        refreshable: bool = True,
    ) -> Record:
        """Make a pair of access and refresh token, or an access token alone, of a new grant or of one that is there."""
        record = self._new(scope, client_id, user_id, role, self._settings.oauth.access_life or self.lifetime)
        if grant_id is not None:
            record["grant_id"] = grant_id
        if not refreshable:
            record["refresh_token"] = None
        self._records.commit("create", "token", record["id"], record)
        return record

    def rotate(self, refresh_token: str, client_id: str) -> Record | None:
        """Exchange a refresh token, once; None if it is unknown, used, revoked or another application's.

        How often a used one came back is kept with its record, as `refresh_reuses`.
        """
        old = self._refreshed_by(refresh_token, client_id)
        if old is None:
            return None
        if old["refresh_used"]:
            reuses = old.get("refresh_reuses", 0) + 1
            self._records.commit("update", "token", old["id"], {**old, "refresh_reuses": reuses})
            return None
        self._records.commit("update", "token", old["id"], {**old, "refresh_used": True})
        self.rotations += 1
        return self.issue(
            old["scope"], client_id=client_id, user_id=old["user_id"], role=old["role"], grant_id=_grant(old)
        )

    def renew(self, refresh_token: str, client_id: str, most: int) -> Record | None:
        """Make one more access token of a refresh token that lasts; None if that is unknown, revoked or another
        application's. Of more than `most` live access tokens of the grant the oldest end.
        """
        old = self._refreshed_by(refresh_token, client_id)
        if old is None:
            return None
        self.rotations += 1
        grant_id = _grant(old)
        fresh = self.issue(
            old["scope"],
            client_id=client_id,
            user_id=old["user_id"],
            role=old["role"],
            grant_id=grant_id,
            refreshable=False,
        )
        live = [each for each in self._records.all("token") if _grant(each) == grant_id and self._lives(each)]
        for record in live[:-most]:
            self._records.commit("update", "token", record["id"], {**record, "expires_in": 0})
        return fresh

    def grant_of(self, text: str) -> int:
        """Return the grant that a token came of, or 0 if the token is unknown."""
        record = self._find(text)
        return _grant(record) if record else 0

    def live(self, access_token: str) -> Record | None:
        """Return the token record of an access token that is neither expired nor revoked."""
        record = self._find(access_token)
        if record is None or record["access_token"] != access_token:
            return None
        return record if self._lives(record) else None

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

    def expire_all(self) -> int:
        """End the access tokens of all applications, as time would: refresh tokens still work. Return how many."""
        return self._change_all({"expires_in": 0}, lambda record: record["expires_in"] != 0)

    def revoke_all(self, grant_id: int | None = None) -> int:
        """End all tokens of one grant, or of all, as a person does who removes the application. Return how many."""
        return self._change_all(
            {"revoked": True}, lambda record: not record["revoked"] and grant_id in {None, _grant(record)}
        )

    def new_code(self, client_id: str, redirect_uri: str, scope: str, challenge: str, method: str) -> str:
        """Make an authorisation code."""
        self._code_count += 1
        text = self._mint("code", self._code_count)
        self._codes[text] = Code(client_id, redirect_uri, scope, challenge, method, time() + self._code_life)
        return text

    def take_code(self, text: str, client_id: str, verifier: str) -> Code | None:
        """Return what a code stands for and spend it; None if it is unknown, spent, expired or not the caller's."""
        code = self._codes.pop(text, None)
        if code is None or code.client_id != client_id or time() > code.expires:
            return None
        return code if _proves(code, verifier) else None

    def forget(self) -> None:
        """Forget all codes that were not exchanged, and what was counted."""
        self._codes.clear()
        self._code_count = self.rotations = 0

    def _change_all(self, changes: Record, wanted: Callable[[Record], bool]) -> int:
        found = [each for each in self._records.all("token") if each["client_id"] and wanted(each)]
        for record in found:
            self._records.commit("update", "token", record["id"], {**record, **changes})
        return len(found)

    def _new(self, scope: str, client_id: str | None, user_id: int, role: str, lifetime: int | None) -> Record:
        number = self._records.next_id("token")
        return {
            "id": number,
            "grant_id": number,
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

    def _refreshed_by(self, text: str, client_id: str) -> Record | None:
        """Return the record of a refresh token that is this application's and not revoked."""
        record = self._find(text)
        if record is None or record["refresh_token"] != text:
            return None
        return record if record["client_id"] == client_id and not record["revoked"] else None

    @staticmethod
    def _lives(record: Record) -> bool:
        """Return whether the access token of a record is neither expired nor revoked."""
        life = record["expires_in"]
        return not record["revoked"] and (life is None or time() < record["issued_at"] + life)

    def _find(self, text: str) -> Record | None:
        number = self._by_text.get(text)
        return None if number is None else self._records.get("token", number)

    def _index(self, _before: Record | None, after: Record | None) -> None:
        if after:
            self._by_text[after["access_token"]] = after["id"]
            if after["refresh_token"]:
                self._by_text[after["refresh_token"]] = after["id"]


def granted(asked: str, knobs: OAuthSettings) -> str:
    """Return the scopes that a person grants, of those asked for."""
    return " ".join(each for each in asked.split() if knobs.scopes is None or each in knobs.scopes)


def minted(seed: int, system: str, kind: str, number: int) -> str:
    """Return 64 hexadecimal characters that are the same for the same seed."""
    return hmac.new(f"sandbox {seed}".encode(), f"{system} {kind} {number}".encode(), hashlib.sha256).hexdigest()


def _grant(record: Record) -> int:
    """Return the grant of a token; one from a ledger of an earlier version is a grant by itself."""
    grant_id: int = record.get("grant_id") or record["id"]
    return grant_id


def _proves(code: Code, verifier: str) -> bool:
    """Return whether a PKCE verifier fits (RFC 7636); a code without a challenge needs none."""
    if not code.challenge:
        return True
    digest = hashlib.sha256(verifier.encode()).digest()
    hashed = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return code.challenge == (verifier if code.challenge_method == "plain" else hashed)
