"""What all of Zoho's products share: data centres, and a token endpoint with habits of its own.

Source: https://www.zoho.com/accounts/protocol/oauth.html, https://www.zoho.com/crm/developer/docs/api/v8/multi-dc.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from connectors import oauth
from connectors.answers import Answer
from connectors.dialect import Verdict
from connectors.errors import Refused
from connectors.oauth import Provider, Scope

AUTH_SCHEME = "Zoho-oauthtoken"
"""What stands before the token, whatever `token_type` says."""
# Ten tokens in ten minutes is all that Zoho gives; to go on asking prolongs the block.
BLOCKED_FOR = timedelta(minutes=10)
REGISTRATION = ("invalid_client", "invalid_client_secret")


@dataclass(frozen=True)
class DataCentre:
    """One of Zoho's data centres. A token of one is worth nothing in another."""

    name: str
    accounts_url: str
    api_url: str

    @property
    def api_domains(self) -> tuple[str, ...]:
        """The addresses of the API: of production, and of CRM's sandbox and developer editions."""
        return (self.api_url, *(self.api_url.replace("//www.", f"//{kind}.") for kind in ("sandbox", "developer")))


def _of(name: str, ending: str, accounts: str | None = None) -> DataCentre:
    accounts = accounts or f"accounts.zoho.{ending}"
    return DataCentre(name, f"https://{accounts}", f"https://www.zohoapis.{ending}")


DATA_CENTRES: Mapping[str, DataCentre] = {
    each.name: each
    for each in (
        _of("us", "com"),
        _of("eu", "eu"),
        _of("in", "in"),
        _of("au", "com.au"),
        _of("jp", "jp"),
        _of("cn", "com.cn"),
        _of("ca", "ca", "accounts.zohocloud.ca"),
        _of("sa", "sa"),
        _of("uk", "uk"),
        _of("ae", "ae"),
    )
}
"""By the name that a redirect gives as `location`."""


def provider(system: str, title: str, scopes: tuple[Scope, ...], data_centre: str = "us") -> Provider:
    """Return the OAuth endpoints of one product in one data centre.

    Refresh tokens neither rotate nor expire. PKCE is not documented, so it is not asked for.
    """
    accounts = DATA_CENTRES[data_centre].accounts_url
    return Provider(
        system=system,
        title=title,
        authorize_url=f"{accounts}/oauth/v2/auth",
        tokens_url=f"{accounts}/oauth/v2/token",
        revoke_url=f"{accounts}/oauth/v2/token/revoke",
        scopes=scopes,
        scope_separator=",",
        includes=includes,
        authorize_query=(("access_type", "offline"), ("prompt", "consent")),
        pkce=False,
        rotates=False,
        revoke_in_query=True,
        judge=judge,
        grant_is_gone=frozenset({"invalid_code", "invalid_grant"}),
        api_domains=tuple(domain for each in DATA_CENTRES.values() for domain in each.api_domains),
    )


def named_by_redirect(configured: Provider, accounts_server: str | None, location: str | None) -> Provider:
    """Return the provider whose token endpoint issued the code of a redirect, by its `accounts-server` and `location`.

    Raises Refused for a server that is neither Zoho's nor the configured one: it would be told our client secret.
    """
    known = {each.accounts_url for each in DATA_CENTRES.values()}
    named = accounts_server.rstrip("/") if accounts_server else None
    is_zoho = any(configured.tokens_url.startswith(f"{each}/") for each in known)
    if named is None and is_zoho and location and location in DATA_CENTRES:
        named = DATA_CENTRES[location].accounts_url
    if named is None or f"{named}/oauth/v2/token" == configured.tokens_url:
        return configured
    if named not in known:
        text = f"the redirect to {configured.title} names an accounts server that is not known to be Zoho's"
        raise Refused(configured.system, f"{text}, so nothing was sent to it: connect again from our own address")
    return replace(configured.at(named), api_domains=configured.api_domains)


def data_centre_of(url: str | None) -> DataCentre | None:
    """Return the data centre to which the address of an accounts server or of an API belongs, None if it is another."""
    return next((each for each in DATA_CENTRES.values() if url in (each.accounts_url, *each.api_domains)), None)


def includes(granted: str, needed: str) -> bool:
    """Return whether one right includes another: `ZohoCRM.modules.ALL` is all of `ZohoCRM.modules.contacts.READ`."""
    head, _, operation = granted.rpartition(".")
    return granted == needed or (operation == "ALL" and needed.startswith(f"{head}."))


def judge(answer: Answer) -> Verdict:
    """Read an error of the token endpoint, which mostly comes with HTTP 200."""
    verdict = oauth.judge(answer)
    body = answer.json_or_none()
    error = body.get("error") if isinstance(body, dict) else None
    # Neither the code nor the status says that to wait helps.
    if isinstance(error, str) and (error.casefold() == "access denied" or _too_many(verdict)):
        return Verdict(429, verdict.problems, unsaid_wait=BLOCKED_FOR)
    if error in REGISTRATION:
        remedy = "check client id and secret in the settings, and that the client serves the account's data centre"
        return replace(verdict, remedy=remedy)
    return verdict


def _too_many(verdict: Verdict) -> bool:
    return any("too many requests" in problem.message.casefold() for problem in verdict.problems)
