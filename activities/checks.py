"""What the worker itself sees of FreshBooks and of all tokens, for `ledgerline doctor`. Only reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio import activity

from activities.check_rules import Pace, judge_clock, judge_fixed_token, judge_quota, judge_token
from activities.errors import temporal_errors
from activities.models import ConnectionName
from activities.sweep_models import Identity
from activities.watch_models import AccountName, Findings, TokenFindings
from connectors.freshbooks.api import FreshBooksApi
from connectors.oauth import Provider
from store.store import Store
from store.tokens import NEEDS_CONSENT


class FreshBooksCheckActivities:
    """Asks one FreshBooks account, and compares it with the configured one."""

    def __init__(self, freshbooks: FreshBooksApi, account_id: str, pace: Pace) -> None:
        self._freshbooks, self._account_id, self._pace = freshbooks, account_id, pace

    @activity.defn
    async def identify_freshbooks(self, asked: ConnectionName) -> Identity:
        """Return the account behind the token. Only reads."""
        del asked
        with temporal_errors():
            identity = await self._freshbooks.identity()
        accounts = [each.account_id for each in identity.memberships if each.account_id]
        if self._account_id in accounts:
            return Identity(text=f"account {self._account_id}")
        known = ", ".join(accounts) or "none"
        return Identity(ok=False, text=f"account {self._account_id} is not among the token's accounts: {known}")

    @activity.defn
    async def examine_freshbooks(self, asked: ConnectionName) -> Findings:
        """Compare clocks, and our pace with the quota. Only reads."""
        del asked
        with temporal_errors():
            began = datetime.now(UTC)
            state = await self._freshbooks.service_state()
            return Findings(findings=[judge_quota(state, self._pace), judge_clock(state, began, datetime.now(UTC))])


@dataclass(frozen=True)
class Access:
    """How we get into one account: whose it is, and whether a person connects it or the settings hold its token."""

    provider: Provider
    connected_by_person: bool


class TokenCheckActivities:
    """Looks at the tokens of all accounts; a local activity, because an account without consent has no worker."""

    def __init__(self, store: Store, accounts: Mapping[tuple[str, str], Access]) -> None:
        self._store, self._accounts = store, accounts

    @activity.defn
    async def examine_token(self, asked: AccountName) -> TokenFindings:
        """Say whether the token of one account is good, until when, and what it may do. Only reads."""
        access = self._accounts[asked.connection, asked.system]
        account, grant = await self._store.tokens.read(asked.connection, asked.system)
        refused = account is not None and account.state == NEEDS_CONSENT
        if not access.connected_by_person:
            return TokenFindings(findings=[judge_fixed_token(account)], usable=not refused)
        findings = judge_token(access.provider, asked.connection, account, grant)
        return TokenFindings(findings=findings, usable=grant is not None and not refused)
