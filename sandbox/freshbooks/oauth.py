"""OAuth 2 of FreshBooks. Source: https://www.freshbooks.com/api/authentication, /api/scopes"""

from urllib.parse import urlencode, urlsplit

from starlette.responses import PlainTextResponse, RedirectResponse, Response

from sandbox.calls import Call, Refusal, answer
from sandbox.freshbooks.account import IDENTITY_ID, Account
from sandbox.freshbooks.errors import AUTH, failure
from sandbox.ledger import Record
from sandbox.tokens import granted, minted

LIFETIME = 43_200
"""Seconds for which an access token works: twelve hours."""

READABLE = """
    bill_payments bill_vendors billable_items bills business clients credit_notes estimates expenses invoices
    journal_entries notifications online_payments other_income payments profile projects reports retainers taxes teams
    time_entries
"""
READ_ONLY = {"profile", "notifications", "reports"}
READ_SCOPES = [f"user:{each}:read" for each in READABLE.split()]
ALL_SCOPES = [*READ_SCOPES, *(f"user:{each}:write" for each in READABLE.split() if each not in READ_ONLY)]
ALWAYS_GRANTED = "user:profile:read"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class OAuth:
    """Consent (given or refused at once), tokens, single-use refresh tokens, revocation."""

    def __init__(self, account: Account, client_id: str, client_secret: str) -> None:
        self._tokens, self._settings = account.tokens, account.settings
        self._client_id, self._client_secret = client_id, client_secret

    def authorize(self, call: Call) -> Response:
        """Redirect with a code, as if the owner had agreed, or with the refusal. An unknown application hears 500, as
        has been seen.
        """
        query = call.query
        if query.get("client_id") != self._client_id:
            raise Refusal(500, failure(500), AUTH)
        target = query.get("redirect_uri", "")
        if not _may_redirect_to(target) or query.get("response_type") != "code":
            raise _refused("invalid_request", "The redirect URI must use HTTPS and carry no query")
        scope = query.get("scope") or " ".join(ALL_SCOPES)
        if not set(scope.split()) <= set(ALL_SCOPES):
            return PlainTextResponse("The requested scope is invalid, unknown, or malformed.", 400)
        found = {"error": "access_denied"} if self._settings.oauth.deny else {"code": self._code(call, scope)}
        found |= {"state": query["state"]} if "state" in query else {}
        return RedirectResponse(f"{target}?{urlencode(found)}", 302)

    def token(self, call: Call) -> Response:
        """Exchange a code or a refresh token; the address to redirect to is asked for in both cases."""
        form = self._form(call)
        if not form.get("redirect_uri"):
            raise _refused("invalid_request", "Missing required parameter: redirect_uri.")
        if form.get("grant_type") == "authorization_code":
            code = self._tokens.take_code(form.get("code", ""), self._client_id, form.get("code_verifier", ""))
            if code is None or form["redirect_uri"] != code.redirect_uri:
                raise _invalid_grant()
            return answer(self._view(self._issue(code.scope)))
        if form.get("grant_type") == "refresh_token":
            rotated = self._tokens.rotate(form.get("refresh_token", ""), self._client_id)
            if rotated is None:
                raise _invalid_grant()
            return answer(self._view(rotated))
        raise _refused("unsupported_grant_type", "The authorization grant type is not supported.")

    def revoke(self, call: Call) -> Response:
        """End a token and its partner at once: 200."""
        self._tokens.revoke(self._form(call).get("token", ""))
        return answer({})

    def _code(self, call: Call, asked: str) -> str:
        query, scope = call.query, granted(asked, self._settings.oauth)
        if ALWAYS_GRANTED not in scope.split():
            scope = f"{ALWAYS_GRANTED} {scope}".rstrip()
        challenge, method = query.get("code_challenge", ""), query.get("code_challenge_method", "plain")
        return self._tokens.new_code(self._client_id, query["redirect_uri"], scope, challenge, method)

    def _issue(self, scope: str) -> Record:
        return self._tokens.issue(scope, client_id=self._client_id, user_id=IDENTITY_ID, role="owner")

    def _view(self, record: Record) -> Record:
        return {
            "access_token": record["access_token"],
            "token_type": "Bearer",
            "expires_in": record["expires_in"],
            "refresh_token": record["refresh_token"],
            "scope": record["scope"],
            "created_at": record["issued_at"] + int(self._settings.clock_skew),
            "direct_buy_tokens": {},
        }

    def _form(self, call: Call) -> dict[str, str]:
        try:
            form = call.form_or_json()
        except ValueError as error:
            raise _refused("invalid_request", "The request cannot be read.") from error
        if form.get("client_id") != self._client_id or form.get("client_secret") != self._client_secret:
            text = "Client authentication failed due to unknown client, or wrong client secret."
            raise _refused("invalid_client", text, 401)
        return form


def mint(seed: int, kind: str, number: int) -> str:
    """Return the text of a token: an access token is about a thousand characters long, as real ones are."""
    if kind != "access":
        return minted(seed, "freshbooks", kind, number)
    parts = [minted(seed, "freshbooks", f"access {part}", number) for part in range(15)]
    return f"eyJhbGciOiJSUzI1NiJ9.eyJ{''.join(parts[:13])}.{''.join(parts[13:])}"


def _may_redirect_to(target: str) -> bool:
    """HTTPS without a query; for this machine plain HTTP will do, or nothing could be tried out here."""
    parts = urlsplit(target)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    return bool(secure and parts.netloc and not parts.query)


def _invalid_grant() -> Refusal:
    text = "The provided authorization grant is invalid, expired, revoked, or was issued to another client."
    return _refused("invalid_grant", text)


def _refused(error: str, description: str, status: int = 400) -> Refusal:
    return Refusal(status, {"error": error, "error_description": description}, AUTH)
