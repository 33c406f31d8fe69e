"""OAuth 2 of Zoho: refresh tokens that last, a narrow limit on what they bring, and errors that come with 200.

Source: https://www.zoho.com/accounts/protocol/oauth/web-apps/authorization.html, …/web-apps/access-token.html
"""

from collections import defaultdict, deque
from time import time
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from sandbox.calls import Call, Refusal
from sandbox.ledger import Record
from sandbox.tokens import granted, minted
from sandbox.zoho_crm.account import SYNC_USER, ZGID, Account
from sandbox.zoho_crm.errors import said

LIFETIME, CODE_LIFE = 3600, 60.0
"""Seconds for which an access token and an authorisation code work."""

MOST_REFRESH_TOKENS = 20
SCOPES = (
    *("ZohoCRM.modules.ALL", "ZohoCRM.settings.ALL", "ZohoCRM.users.ALL", "ZohoCRM.org.ALL"),
    *("ZohoCRM.notifications.ALL", "ZohoCRM.coql.READ", "ZohoSearch.securesearch.READ"),
)
READ_SCOPES = (
    *("ZohoCRM.modules.READ", "ZohoCRM.settings.READ", "ZohoCRM.users.READ", "ZohoCRM.org.READ"),
    *SCOPES[5:],
)
THROTTLED = "You have made too many requests continuously. Please try again after some time."


class OAuth:
    """Consent (given or refused at once), tokens, revocation. The consenting user is the one of the sync."""

    def __init__(self, account: Account, client_id: str, client_secret: str) -> None:
        self._account, self._tokens = account, account.tokens
        self._client_id, self._client_secret = client_id, client_secret
        self._mints: dict[str, deque[float]] = defaultdict(deque)

    def authorise(self, call: Call) -> Response:
        """Redirect with a code and the place of the account, as if the user had agreed, or with the refusal."""
        query, knobs = call.query, self._account.settings.oauth
        target, asked = query.get("redirect_uri", ""), query.get("scope", "").replace(",", " ")
        if query.get("client_id") != self._client_id:
            raise self._refused("invalid_client")
        if not target or query.get("response_type") != "code":
            raise self._refused("invalid_redirect_uri" if not target else "invalid_response_type")
        scopes = asked.split()
        if not scopes or not all(each.startswith("Zoho") and each.count(".") >= 2 for each in scopes):
            raise self._refused("invalid_oauthscope")
        if knobs.deny:
            found = {"error": "access_denied"}
        else:
            code = self._tokens.new_code(self._client_id, target, granted(asked, knobs), "", self._kind(call))
            found = {"code": code, "location": "us", "accounts-server": call.base_url}
        found |= {"state": query["state"]} if "state" in query else {}
        return RedirectResponse(f"{target}{'&' if '?' in target else '?'}{urlencode(found)}", 302)

    def token(self, call: Call) -> Response:
        """Exchange a code, a refresh token or the application's credentials. A refresh gives an access token alone."""
        form = self._form(call)
        grant = form.get("grant_type")
        if form.get("client_id") != self._client_id or form.get("client_secret") != self._client_secret:
            raise self._refused("invalid_client")
        if grant == "authorization_code":
            record = self._of_code(form)
        elif grant == "refresh_token":
            record = self._of_refresh(form)
        elif grant == "client_credentials":
            record = self._of_client(form)
        else:
            raise self._refused("unsupported_grant_type")
        return said(_view(record, call.base_url, with_refresh=grant == "authorization_code"))

    def revoke(self, call: Call) -> Response:
        """End a refresh token with all that came of it, or an access token alone."""
        text = self._form(call).get("token", "")
        record = self._tokens.known(text)
        if record is None or record["revoked"]:
            raise self._refused("invalid_token")
        if record["access_token"] == text:
            self._tokens.revoke_access(text)
        else:
            self._tokens.revoke_all(self._tokens.grant_of(text))
        return said({"status": "success"})

    def server_info(self, call: Call) -> Response:
        """Which accounts server is responsible for which location: here it is always this one."""
        return said({"result": "success", "locations": dict.fromkeys(("us", "eu", "in", "au", "jp"), call.base_url)})

    def forget(self) -> None:
        """Forget who asked how often."""
        self._mints.clear()

    def _kind(self, call: Call) -> str:
        """Return `offline` where consent brings a refresh token: if that is asked for, and either consent is asked for
        anew or there is no refresh token yet.
        """
        there = [each for each in self._account.records.all("token") if each["refresh_token"] and not each["revoked"]]
        first = not any(each["client_id"] == self._client_id for each in there)
        wanted = call.query.get("access_type") == "offline" and (first or call.query.get("prompt") == "consent")
        return "offline" if wanted else "online"

    def _of_code(self, form: dict[str, str]) -> Record:
        code = self._tokens.take_code(form.get("code", ""), self._client_id, "")
        if code is None:
            raise self._refused("invalid_code")
        if form.get("redirect_uri", "") != code.redirect_uri:  # a code of the console (a "self client") has none
            raise self._refused("invalid_redirect_uri")
        offline = code.challenge_method == "offline"
        record = self._issue(code.scope, offline=offline)
        self._drop_oldest()
        return record

    def _of_refresh(self, form: dict[str, str]) -> Record:
        text = form.get("refresh_token", "")
        if self._is_throttled(text):
            raise Refusal(400, {"error_description": THROTTLED, "error": "Access Denied", "status": "failure"})
        record = self._tokens.renew(text, self._client_id, self._account.settings.live_tokens)
        if record is None:
            raise self._refused("invalid_code")
        return record

    def _of_client(self, form: dict[str, str]) -> Record:
        if form.get("soid") != f"ZohoCRM.{ZGID}":
            raise self._refused("missing_org_info")
        return self._issue(form.get("scope", "").replace(",", " "), offline=False)

    def _issue(self, scope: str, *, offline: bool) -> Record:
        return self._tokens.issue(
            scope, client_id=self._client_id, user_id=SYNC_USER, role="Administrator", refreshable=offline
        )

    def _drop_oldest(self) -> None:
        """End the oldest refresh tokens beyond those that a user may have of one application, silently."""
        live = [each for each in self._account.records.all("token") if each["refresh_token"] and not each["revoked"]]
        mine = [each for each in live if each["client_id"] == self._client_id]
        for each in mine[:-MOST_REFRESH_TOKENS]:
            self._tokens.revoke_all(each["grant_id"])

    def _is_throttled(self, text: str) -> bool:
        """Count a mint, and return whether it was one too many. Refused ones count: whoever goes on asking is refused
        on and on.
        """
        asked, present, knobs = self._mints[text], time(), self._account.settings
        while asked and asked[0] <= present - knobs.mints_within:
            asked.popleft()
        asked.append(present)
        return len(asked) > knobs.mints

    def _form(self, call: Call) -> dict[str, str]:
        """Return the parameters of a call, which come in its body or in its query."""
        try:
            return call.parameters()
        except ValueError as error:
            raise self._refused("invalid_request") from error

    def _refused(self, error: str) -> Refusal:
        return Refusal(self._account.settings.token_errors, {"error": error})


def mint(seed: int, kind: str, number: int) -> str:
    """Return the text of a token."""
    text = minted(seed, "zoho_crm", kind, number)
    return f"1000.{text[:32]}.{text[32:]}"


def _view(record: Record, base_url: str, *, with_refresh: bool) -> Record:
    refresh = {"refresh_token": record["refresh_token"]} if with_refresh and record["refresh_token"] else {}
    return {
        "access_token": record["access_token"],
        **refresh,
        "scope": record["scope"],
        "api_domain": base_url,
        "token_type": "Bearer",
        "expires_in": record["expires_in"],
    }
