"""Getting, refreshing and revoking tokens by the authorization code grant, with Authlib building every request.

Only Authlib's parts without I/O are used: nothing can refresh a token behind our back, and requests fail with the same
errors as all others. Refreshing once at a time, and storing before use, is the work of `activities.tokens`.
"""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from authlib.common.security import generate_token  # type: ignore[import-untyped]
from authlib.oauth2.auth import ClientAuth  # type: ignore[import-untyped]
from authlib.oauth2.client import OAuth2Client  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.parameters import prepare_token_request  # type: ignore[import-untyped]
from authlib.oauth2.rfc7009 import prepare_revoke_token_request  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, SecretStr

from connectors.answers import Answer, http_date
from connectors.dialect import Dialect, Verdict, lost, refusal
from connectors.errors import ConsentLost, Problem, Refused, Unavailable, safe_word
from connectors.http import TIME_LIMIT, Request, send

# A token whose life the provider does not state is renewed after this long.
UNSAID_LIFE = timedelta(hours=1)
# Instants on the wire have full seconds and a request takes a while: less than this apart is the same moment.
SAME_MOMENT = timedelta(seconds=5)
# However old a system says that a token is which it has just given: without a floor every request would renew it.
SHORTEST_LIFE = timedelta(minutes=5)
# Where a lost answer to a renewal costs no consent it still costs quota: Zoho gives ten tokens in ten minutes.
NEXT_RENEWAL = timedelta(minutes=1)


def judge(answer: Answer) -> Verdict:
    """Read the error of RFC 6749 section 5.2. A 401 here is about our registration, which no refresh mends."""
    body = answer.json_or_none()
    code = body.get("error") if isinstance(body, dict) else None
    if not isinstance(code, str):
        return Verdict(400 if answer.status == 401 else answer.status)
    problem = Problem(code=safe_word(code), message=str(body.get("error_description") or ""))
    return Verdict(answer.status if answer.status > 401 else 400, (problem,))


@dataclass(frozen=True)
class Scope:
    """A right that we ask for, and what does not work without it."""

    name: str
    needed_for: str


@dataclass(frozen=True)
class Provider:
    """Where one system's OAuth endpoints are, what is special about them, and the least rights that we need."""

    system: str
    title: str
    authorize_url: str
    tokens_url: str
    revoke_url: str
    redirect_uri_on_refresh: bool = False
    scopes: tuple[Scope, ...] = ()
    scope_separator: str = " "
    includes: Callable[[str, str], bool] = operator.eq
    """Whether a right that was granted (first) includes one that we need."""
    authorize_query: tuple[tuple[str, str], ...] = ()
    """What the consent page needs beyond the standard."""
    pkce: bool = True
    rotates: bool = True
    """Whether a renewal may replace the refresh token, so that a lost answer may cost the consent."""
    revoke_in_query: bool = False
    judge: Callable[[Answer], Verdict] = judge
    grant_is_gone: frozenset[str] = frozenset({"invalid_grant"})
    """The errors that only a new consent helps against."""
    api_domains: tuple[str, ...] = ()
    """The addresses that an answer with tokens may name as the API's. A token is sent to no other."""

    def missing(self, granted: str) -> list[Scope]:
        """Return what we need and were not granted. An empty text means that all was granted."""
        names = _names(granted)
        return [scope for scope in self.scopes if names and not any(self.includes(name, scope.name) for name in names)]

    def beyond(self, granted: str) -> list[str]:
        """Return what we were granted and do not need."""
        needed = {scope.name for scope in self.scopes}
        return [name for name in _names(granted) if name not in needed]

    def at(self, base_url: str) -> "Provider":
        """Return the same provider with all endpoints on another host, such as the sandbox."""
        paths = {name: urlsplit(getattr(self, name)).path for name in ("authorize_url", "tokens_url", "revoke_url")}
        base = base_url.rstrip("/")
        moved = replace(self, **{name: base + path for name, path in paths.items()})
        return replace(moved, api_domains=(base,)) if self.api_domains else moved


def _names(granted: str) -> list[str]:
    return [name for name in re.split(r"[\s,]+", granted) if name]


@dataclass(frozen=True)
class Application:
    """Our registration with a provider."""

    client_id: str
    client_secret: SecretStr
    redirect_uri: str


@dataclass(frozen=True)
class Authorization:
    """A consent under way: send the person to `url`, keep the rest until the redirect comes back.

    Compare the redirect's `state` with this one before exchanging its code.
    """

    url: str = field(repr=False)
    state: SecretStr
    code_verifier: SecretStr


class Tokens(BaseModel):
    """What a token endpoint gave. Instants are by our own clock, in UTC; the end is rather too early than too late.

    An empty `scope` means that what was asked for was given. Source: https://www.rfc-editor.org/rfc/rfc6749#section-5.1
    `api_domain` is the address of the API that takes them, None if the provider names none that we know.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    access: SecretStr
    refresh: SecretStr | None
    scope: str
    issued_at: datetime
    expires_at: datetime
    api_domain: str | None = None


class OAuth:
    """The grants of one application at one provider. Sends each request once."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        provider: Provider,
        application: Application,
        time_limit: timedelta = TIME_LIMIT,
    ) -> None:
        self._http, self._provider, self._application = http, provider, application
        self._time_limit = time_limit
        remedy = "check client id, client secret and redirect address in the settings"
        self._dialect = Dialect(provider.system, provider.title, provider.judge, remedy=remedy)

    def authorization(self, scopes: Sequence[str]) -> Authorization:
        """Return a new authorization request with a fresh state and, where it is known, PKCE S256. Sends nothing."""
        client = OAuth2Client(
            session=None,
            client_id=self._application.client_id,
            scope=self._provider.scope_separator.join(scopes) or None,
            redirect_uri=self._application.redirect_uri,
            code_challenge_method="S256",
        )
        code_verifier = generate_token(48) if self._provider.pkce else ""
        extra = dict(self._provider.authorize_query)
        url, state = client.create_authorization_url(
            self._provider.authorize_url, code_verifier=code_verifier or None, **extra
        )
        return Authorization(url, SecretStr(state), SecretStr(code_verifier))

    async def exchange(self, code: SecretStr, code_verifier: SecretStr) -> Tokens:
        """Return the tokens for the code of a redirect. Raises ConsentLost if the code is used or too old.

        Without a redirect address in the application, none is sent: so a person's own code of Zoho's console wants it.
        """
        form = prepare_token_request(
            "authorization_code",
            redirect_uri=self._application.redirect_uri or None,
            code=code.get_secret_value(),
            code_verifier=code_verifier.get_secret_value(),
        )
        return await self._tokens("exchange the authorization code", form, None)

    async def refresh(self, refresh_token: SecretStr) -> Tokens:
        """Return new tokens. Store them before use: the refresh token given may be dead from now on.

        Raises ConsentLost if it is dead already, and UnknownOutcome if the answer was lost: the provider may have
        replaced the token without our learning the new one. For one that never does, Unavailable is raised instead.
        """
        uri = self._application.redirect_uri if self._provider.redirect_uri_on_refresh else None
        form = prepare_token_request("refresh_token", redirect_uri=uri, refresh_token=refresh_token.get_secret_value())
        doing = "refresh the access token"
        if self._provider.rotates:
            return await self._tokens(doing, form, refresh_token)
        try:
            return await self._tokens(doing, form, refresh_token, repeatable=True)
        except Unavailable as error:
            raise Unavailable(error.system, str(error), error.retry_after or NEXT_RENEWAL) from None

    async def revoke(self, token: SecretStr) -> None:
        """Make the provider forget a token. Source: https://www.rfc-editor.org/rfc/rfc7009"""
        doing, url, text = "revoke a token", self._provider.revoke_url, token.get_secret_value()
        form, _ = prepare_revoke_token_request(text)
        request = self._request(doing, url, form, repeatable=True)
        if self._provider.revoke_in_query:
            request = Request(doing, "POST", url, [("token", text)])
        try:
            await self._post(request)
        except Refused as error:
            if not any(problem.code == "invalid_token" for problem in error.problems):
                raise  # and a token that is dead already needs no revoking

    async def _tokens(self, doing: str, form: str, previous: SecretStr | None, *, repeatable: bool = False) -> Tokens:
        started = datetime.now(UTC)
        request = self._request(doing, self._provider.tokens_url, form, repeatable=repeatable)
        answer = await self._post(request)
        try:
            return _read_tokens(answer, started, previous, self._provider.api_domains)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            raise lost(self._dialect, doing, f"HTTP {answer.status}, unreadable", repeatable=repeatable) from None

    def _request(self, doing: str, url: str, form: str, *, repeatable: bool) -> Request:
        secret = self._application.client_secret.get_secret_value()
        auth = ClientAuth(self._application.client_id, secret, "client_secret_post")
        _, _, body = auth.prepare("POST", url, {}, form)
        return Request(doing, "POST", url, form=body, repeatable=repeatable)

    async def _post(self, request: Request) -> Answer:
        answer = await send(self._http, self._dialect, request, {}, self._time_limit)
        verdict = self._provider.judge(answer)
        gone = next((each.code for each in verdict.problems if each.code in self._provider.grant_is_gone), None)
        if gone is not None:
            text = f"{self._dialect.title} refused to {request.doing} ({gone}): a person has to connect again"
            raise ConsentLost(self._dialect.system, text)
        if not 200 <= verdict.status < 300:
            raise refusal(self._dialect, request.doing, verdict, answer, repeatable=request.repeatable)
        return answer


def _read_tokens(answer: Answer, started: datetime, previous: SecretStr | None, api_domains: Sequence[str]) -> Tokens:
    said: dict[str, Any] = answer.json()
    refresh = said.get("refresh_token")
    return Tokens(
        access=SecretStr(_text(said["access_token"])),
        refresh=SecretStr(_text(refresh)) if refresh else previous,
        scope=str(said.get("scope") or ""),
        issued_at=started,
        expires_at=started + _life_left(said, http_date(answer.headers.get("date", "")) or started),
        api_domain=next((each for each in api_domains if each == str(said.get("api_domain")).rstrip("/")), None),
    )


def _life_left(said: dict[str, Any], now: datetime) -> timedelta:
    """Return for how long the token lives from now on; `now` is by the clock of whoever gave it.

    FreshBooks says when the token was made, which may be well before this request. Zoho was seen to give `expires_in`
    in milliseconds, with `expires_in_sec` beside it.
    """
    seconds = int(said.get("expires_in_sec") or said.get("expires_in") or 0)
    life = timedelta(seconds=seconds) if seconds > 0 else UNSAID_LIFE
    made = datetime.fromtimestamp(int(said["created_at"]), UTC) if said.get("created_at") else now
    age = now - made
    return life if age < SAME_MOMENT else max(life - age, min(life, SHORTEST_LIFE))


def _text(token: Any) -> str:
    if not isinstance(token, str) or not token:
        raise ValueError("a token is not text")
    return token
