"""What the worker itself sees of both systems, for `ledgerline doctor`. Only reads; a request each, but for lists."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio import activity

from activities.check_rules import (
    Pace,
    judge_clock,
    judge_fields,
    judge_fixed_token,
    judge_quota,
    judge_reference_field,
    judge_token,
)
from activities.errors import temporal_errors
from activities.models import ConnectionName
from activities.sweep_models import Identity
from activities.watch_models import AccountName, Findings, TokenFindings
from connectors.capsule.api import CapsuleApi
from connectors.capsule.models import FieldDefinition
from connectors.freshbooks.api import FreshBooksApi
from connectors.oauth import Provider
from mapping.engine import Template
from store.store import Store
from store.tokens import NEEDS_CONSENT

MOST_PAGES = 20  # nobody has thousands of custom fields; a list that never ends is a fault


@dataclass(frozen=True)
class NamedFields:
    """What names custom fields: the mapping, the one it was made of, and the field of our reference if we create."""

    template: Template
    shipped: Template
    reference_field: str | None


class CapsuleCheckActivities:
    """Asks one Capsule account."""

    def __init__(self, capsule: CapsuleApi, pace: Pace, named: NamedFields) -> None:
        self._capsule, self._pace, self._named = capsule, pace, named

    @activity.defn
    async def identify_capsule(self, asked: ConnectionName) -> Identity:
        """Return the account behind the token. Only reads."""
        del asked
        with temporal_errors():
            site = await self._capsule.site()
            return Identity(text=f"account {site.subdomain}")

    @activity.defn
    async def examine_capsule(self, asked: ConnectionName) -> Findings:
        """Compare clocks, and our pace with the quota. Only reads."""
        del asked
        with temporal_errors():
            began = datetime.now(UTC)
            state = await self._capsule.service_state()
            return Findings(findings=[judge_quota(state, self._pace), judge_clock(state, began, datetime.now(UTC))])

    @activity.defn
    async def examine_custom_fields(self, asked: ConnectionName) -> Findings:
        """Compare the custom fields that the settings name with those that parties have. Only reads."""
        del asked
        with temporal_errors():
            named, definitions = self._named, await self._definitions()
        findings = judge_fields(named.template, named.shipped, definitions)
        if named.reference_field is not None:
            findings.append(judge_reference_field(named.reference_field, definitions))
        return Findings(findings=findings)

    async def _definitions(self) -> list[FieldDefinition]:
        found: list[FieldDefinition] = []
        for page in range(1, MOST_PAGES + 1):
            listed = await self._capsule.party_field_definitions(page=page)
            found.extend(listed.items)
            if not listed.has_more:
                break
        return found


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
