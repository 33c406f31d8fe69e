"""OAuth 2 of Capsule. Source: https://developer.capsulecrm.com/v2/overview/authentication"""

import base64
import binascii
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from sandbox.calls import Call, Refusal, answer
from sandbox.capsule.account import ADMIN_ID, SUBDOMAIN, Account
from sandbox.ledger import Record
from sandbox.tokens import granted

LIFETIME = 604_799
"""Seconds for which an access token works."""

SCOPES = {"read", "write", "user_preference", "openid", "profile", "email"}


class OAuth:
    """Consent (given or refused at once), tokens, rotation, revocation. The consenting user is the administrator."""

    def __init__(self, account: Account, client_id: str, client_secret: str) -> None:
        self._account, self._tokens = account, account.tokens
        self._client_id, self._client_secret = client_id, client_secret

    def authorise(self, call: Call) -> Response:
        """Redirect with a code, as if the user had agreed, or with what stands in the way of it."""
        query = call.query
        target, scope = query.get("redirect_uri", ""), query.get("scope") or "read write"
        if query.get("client_id") != self._client_id or not target or query.get("response_type") != "code":
            raise _refused("invalid_request", "client_id, redirect_uri or response_type is not valid")
        knobs = self._account.settings.oauth
        if not set(scope.split()) <= SCOPES:
            found = {"error": "invalid_scope"}
        elif knobs.deny:
            found = {"error": "access_denied"}
        else:
            method, scope = query.get("code_challenge_method", "plain"), granted(scope, knobs)
            code = self._tokens.new_code(self._client_id, target, scope, query.get("code_challenge", ""), method)
            found = {"code": code}
        found |= {"state": query["state"]} if "state" in query else {}
        return RedirectResponse(f"{target}{'&' if '?' in target else '?'}{urlencode(found)}", 302)

    def token(self, call: Call) -> Response:
        """Exchange a code or a refresh token. Every refresh gives a new refresh token and ends the old one."""
        form = _form(call)
        client_id = self._client(form)
        if form.get("grant_type") == "authorization_code":
            code = self._tokens.take_code(form.get("code", ""), client_id, form.get("code_verifier", ""))
            if code is None or form.get("redirect_uri", code.redirect_uri) != code.redirect_uri:
                raise _refused("invalid_grant", "The authorization code is not valid")
            record = self._tokens.issue(code.scope, client_id=client_id, user_id=ADMIN_ID, role="admin")
        elif form.get("grant_type") == "refresh_token":
            rotated = self._tokens.rotate(form.get("refresh_token", ""), client_id)
            if rotated is None:
                raise _refused("invalid_grant", "The refresh token is not valid")
            record = rotated
        else:
            raise _refused("unsupported_grant_type", "The grant type is not supported")
        return answer(_view(record))

    def revoke(self, call: Call) -> Response:
        """End a token and its partner: 200, whether or not there was one."""
        self._tokens.revoke(_form(call).get("token", ""))
        return answer({})

    def discovery(self, call: Call) -> Response:
        """The document that says where everything is."""
        base = call.base_url
        return answer(
            {
                "issuer": base,
                "authorization_endpoint": f"{base}/oauth/authorise",
                "token_endpoint": f"{base}/oauth/token",
                "revocation_endpoint": f"{base}/oauth/revoke",
                "scopes_supported": sorted(SCOPES),
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "code_challenge_methods_supported": ["plain", "S256"],
            }
        )

    def _client(self, form: dict[str, str]) -> str:
        """Return the calling application. An installed application sends no secret; a wrong one is refused."""
        secret = form.get("client_secret", self._client_secret)
        if form.get("client_id") != self._client_id or secret != self._client_secret:
            raise _refused("invalid_client", "Client authentication failed", 401)
        return self._client_id


def _form(call: Call) -> dict[str, str]:
    """Return the body of a token request, with the client of a basic authorisation if there is one."""
    try:
        form = call.form_or_json()
        scheme, _, text = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            name, _, secret = base64.b64decode(text).decode().partition(":")
            form |= {"client_id": name, "client_secret": secret}
    except (ValueError, binascii.Error) as error:
        raise _refused("invalid_request", "The request cannot be read") from error
    return form


def _view(record: Record) -> Record:
    return {
        "access_token": record["access_token"],
        "refresh_token": record["refresh_token"],
        "token_type": "bearer",
        "expires_in": record["expires_in"],
        "scope": record["scope"],
        "subdomain": SUBDOMAIN,
    }


def _refused(error: str, description: str, status: int = 400) -> Refusal:
    return Refusal(status, {"error": error, "error_description": description})
