"""What is special about a person's consent to a Zoho account: data centres, and codes from Zoho's own console.

Source: https://www.zoho.com/accounts/protocol/oauth.html
"""

from pydantic import SecretStr

from connectors import zoho
from connectors.oauth import Tokens
from runtime.accounts import ZohoCrmAccount
from worker.redirect import Redirect
from worker.session import CannotConnect, Session
from worker.tokens import zoho_api_url


async def code_of_console(session: Session) -> SecretStr:
    """Ask for the code that a person makes in Zoho's console, where the application is a "self client"."""
    scopes = session.provider.scope_separator.join(scope.name for scope in session.provider.scopes)
    session.screen.say(
        "No redirect address is set, so the application is a self client. In Zoho's API console, choose it, open"
        f" “Generate Code”, take ten minutes, and enter this scope:\n\n{scopes}\n"
    )
    return SecretStr(await session.screen.ask("Paste the code here (it is not shown): ", hidden=True))


def check_data_centre(session: Session, redirect: Redirect) -> None:
    """Raise CannotConnect if the person's account is in another data centre than the settings say.

    Raises Refused for a redirect that names a server which is not Zoho's.
    """
    configured = session.provider
    named = zoho.named_by_redirect(configured, redirect.accounts_server, redirect.location)
    if named.tokens_url != configured.tokens_url:
        centre = zoho.data_centre_of(named.tokens_url.removesuffix("/oauth/v2/token"))
        _stop(session, f"`data_centre: {centre.name if centre else redirect.location}`")


def check_api(session: Session, account: ZohoCrmAccount, tokens: Tokens) -> None:
    """Raise CannotConnect if the tokens are for another address of the API than the settings say."""
    named = tokens.api_domain
    if named is None or named == zoho_api_url(account):
        return
    centre = zoho.data_centre_of(named)
    if centre is None or centre.api_url != named:
        _stop(session, f"`base_url: {named}`")
    else:  # production, where no address of the API has to be written
        _stop(session, f"`data_centre: {centre.name}`{' in place of `base_url`' if account.base_url else ''}")


def _stop(session: Session, line: str) -> None:
    place = f"connections.{session.name}.{session.system}"
    text = f"this person's Zoho account is elsewhere than the settings say: write {line} under {place}"
    raise CannotConnect(f"{text} and run the command again; nothing was changed")
