"""Who are we to each system? The worker's own answer, for `ledgerline doctor`."""

from temporalio import activity

from activities.errors import temporal_errors
from activities.models import ConnectionName, Identity
from connectors.capsule.api import CapsuleApi
from connectors.freshbooks.api import FreshBooksApi


class CapsuleCheckActivities:
    """Asks one Capsule account."""

    def __init__(self, capsule: CapsuleApi) -> None:
        self._capsule = capsule

    @activity.defn
    async def identify_capsule(self, asked: ConnectionName) -> Identity:
        """Return the account behind the token. Only reads."""
        del asked
        with temporal_errors():
            site = await self._capsule.site()
            return Identity(text=f"account {site.subdomain}")


class FreshBooksCheckActivities:
    """Asks one FreshBooks account, and compares it with the configured one."""

    def __init__(self, freshbooks: FreshBooksApi, account_id: str) -> None:
        self._freshbooks, self._account_id = freshbooks, account_id

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
