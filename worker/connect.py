"""`ledgerline connect` and `disconnect`: a person's consent to one account, from the browser to the store."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import SecretStr

from activities.queues import FRESHBOOKS
from connectors.capsule.api import CapsuleApi
from connectors.errors import ConnectorError, UnknownOutcome
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.models import Membership
from connectors.http import fixed_token, http_client
from connectors.oauth import Tokens
from connectors.zoho_crm.api import ZohoCrmApi
from runtime.accounts import CapsuleAccount, FreshBooksAccount, ZohoCrmAccount
from runtime.settings import Settings
from store.store import open_store
from store.tokens import REFRESHING, Grant
from worker.redirect import Redirect, is_local, read_pasted, redirects_to
from worker.session import CannotConnect, Screen, Session, chosen_connection
from worker.set_up import set_up
from worker.tokens import zoho_api_url
from worker.zoho_consent import check_api, check_data_centre, code_of_console

PATIENCE = timedelta(minutes=10)
# Who may write; the others read what they are shown. Source: https://www.freshbooks.com/api/scopes
WRITERS = {"owner", "admin", "business_partner", "business_manager", "business_accountant"}
RENEWAL_CHECKS, RENEWAL_CHECK_SECONDS = 50, 0.2


@dataclass(frozen=True)
class Wish:
    """What the person typed."""

    system: str
    connection: str | None = None
    paste: bool = False
    account: str | None = None


async def connect_account(settings: Settings, wish: Wish, screen: Screen) -> int:
    """Ask for consent, store the tokens, and set up what the account needs. Returns the exit code.

    Raises CannotConnect, NoRedirect, KeyProblem or StoreUnreachable.
    """
    name = chosen_connection(settings, wish.system, wish.connection)
    store = await open_store(settings)
    try:
        async with http_client() as http:
            session = Session(settings, name, wish.system, store, http, screen)
            tokens = await _consent(session, paste=wish.paste)
            account_id = await _account_id(session, tokens, wish.account)
            await _check_same_account(session, account_id)
            _compare_scopes(session, tokens.scope)
            grant = Grant(tokens.access, tokens.refresh, tokens.scope, tokens.issued_at, tokens.expires_at)
            await store.tokens.consented(name, wish.system, grant, account_id)
            screen.say(
                f"{session.provider.title} of {name} is connected{f' (account {account_id})' * bool(account_id)}."
            )
            await set_up(session)
    except UnknownOutcome as error:
        raise CannotConnect(f"{error}. Nothing was changed here: run the command again") from None
    except ConnectorError as error:
        raise CannotConnect(str(error)) from None
    finally:
        await store.close()
    return 0


async def disconnect_account(settings: Settings, wish: Wish, screen: Screen) -> int:
    """Revoke the tokens and forget them; links stay, so that connecting again creates nothing twice.

    Raises CannotConnect, KeyProblem or StoreUnreachable.
    """
    name = chosen_connection(settings, wish.system, wish.connection)
    store = await open_store(settings)
    try:
        async with http_client() as http:
            session = Session(settings, name, wish.system, store, http, screen)
            grant = await _settled_grant(session)
            if grant is None:
                screen.say(f"{session.provider.title} of {name} is not connected.")
                return 0
            await store.tokens.forget(name, wish.system)
            await _revoke(session, grant)
    finally:
        await store.close()
    return 0


async def _consent(session: Session, *, paste: bool) -> Tokens:
    """Send the person to the system's consent page and return what they agreed to."""
    oauth, title, address = session.oauth, session.provider.title, session.account.redirect_uri
    if not address:
        return await oauth.exchange(await code_of_console(session), SecretStr(""))
    asked = oauth.authorization([scope.name for scope in session.provider.scopes])
    if paste or not is_local(address):
        session.screen.say(
            f"Open this address in a browser where you are signed in to {title}, and agree:\n\n{asked.url}\n"
        )
        session.screen.say(f"Your browser is then sent to {address}, which may not be there: that does not matter.")
        pasted = await session.screen.ask("Paste the whole address here (it is not shown): ", hidden=True)
        redirect = read_pasted(pasted, asked.state)
    else:
        async with redirects_to(address, asked.state) as coming:
            session.screen.say(f"Open this address in a browser of this machine, and agree:\n\n{asked.url}\n")
            redirect = await _awaited(coming)
    if redirect.code is None:
        said = redirect.error or "no code"
        raise CannotConnect(f"{title} says that nobody agreed ({said}); nothing was changed")
    if isinstance(session.account, ZohoCrmAccount):
        check_data_centre(session, redirect)
    return await oauth.exchange(redirect.code, asked.code_verifier)


async def _awaited(coming: "asyncio.Future[Redirect]") -> Redirect:
    try:
        return await asyncio.wait_for(coming, PATIENCE.total_seconds())
    except TimeoutError:
        text = "nobody agreed within ten minutes; run the command again (with --paste if the browser is elsewhere)"
        raise CannotConnect(text) from None


async def _account_id(session: Session, tokens: Tokens, wanted: str | None) -> str:
    """Return the account behind the token; which of several, the person decides. Empty if the CRM does not say."""
    token, limit = fixed_token(tokens.access), session.connection.request_timeout
    if wanted and session.system != FRESHBOOKS:
        raise CannotConnect(f"--account is for FreshBooks; a user of {session.provider.title} has one account")
    match session.account:
        case CapsuleAccount() as account:
            try:
                return (await CapsuleApi(session.http, token, account.base_url, limit).site()).subdomain or ""
            except ConnectorError:  # the page is not documented: we can do without
                return ""
        case ZohoCrmAccount() as account:
            check_api(session, account, tokens)
            return (await ZohoCrmApi(session.http, token, zoho_api_url(account), limit).org()).zgid or ""
        case FreshBooksAccount() as account:
            identity = await FreshBooksApi(session.http, token, "", account.base_url, limit).identity()
            picked = await _picked(session, [each for each in identity.memberships if each.account_id], wanted)
            if picked.role not in WRITERS:
                role = (picked.role or "unknown").replace("_", " ")
                session.screen.say(f"Careful: your role there is {role}, and FreshBooks may refuse what we write.")
            return picked.account_id or ""


async def _picked(session: Session, known: Sequence[Membership], wanted: str | None) -> Membership:
    configured = session.account.account_id if isinstance(session.account, FreshBooksAccount) else ""
    wanted = wanted or configured or None
    if configured and wanted != configured:
        text = f"the settings say account {configured}, you said {wanted}: change one of them"
        raise CannotConnect(text)
    ids = ", ".join(each.account_id or "" for each in known) or "none"
    if wanted is None and len(known) > 1:
        for each in known:
            session.screen.say(f"  {each.account_id}  {each.name or ''} ({each.role or 'no role'})")
        wanted = await session.screen.ask("Which account? ")
    found = [each for each in known if wanted in (None, each.account_id)]
    if not found:
        raise CannotConnect(f"{wanted or 'an account'} is not among the accounts of this person: {ids}")
    return found[0]


async def _check_same_account(session: Session, account_id: str) -> None:
    """Links belong to an account: used with another one, they would write into the wrong records."""
    before = await session.store.tokens.account(session.name, session.system)
    if before is not None and before.account_id and account_id and before.account_id != account_id:
        title, name = session.provider.title, session.name
        text = f"{name} was connected to the {title} account {before.account_id}, and its links belong to that one"
        raise CannotConnect(f"{text}: agree as a user of it, or give {account_id} a connection of its own")


def _compare_scopes(session: Session, granted: str) -> None:
    for scope in session.provider.missing(granted):
        session.screen.say(f"Not granted: {scope.name}. This will not work: {scope.needed_for}.")
    beyond = session.provider.beyond(granted)
    if beyond:
        session.screen.say(
            f"Granted although we do not need it: {', '.join(beyond)}. Take it away from the application."
        )


async def _settled_grant(session: Session) -> Grant | None:
    """Return the tokens, once no process is about to replace them."""
    for _ in range(RENEWAL_CHECKS):
        account, grant = await session.store.tokens.read(session.name, session.system)
        if account is None or account.state != REFRESHING:
            break
        await asyncio.sleep(RENEWAL_CHECK_SECONDS)
    return grant


async def _revoke(session: Session, grant: Grant) -> None:
    title, say = session.provider.title, session.screen.say
    say(f"{title} of {session.name} is disconnected. The links stay: connecting again creates nothing twice.")
    try:
        for token in filter(None, (grant.refresh, grant.access)):
            await session.oauth.revoke(token)
    except ConnectorError as error:
        say(f"{error}. So take Ledgerline's access away in {title} itself as well.")
