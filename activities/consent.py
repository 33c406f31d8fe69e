"""An account that waits for a person's consent: local activities, shared by all connections."""

from temporalio import activity

from activities.models import AccountKey, Consent
from store.records import RecordKey
from store.store import Store
from store.tokens import NEEDS_CONSENT

CONNECTION_FLOW = "connection"
REASON = "needs-consent"


class ConsentActivities:
    """What the store knows of each account's consent, and the one hold that stands for it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn
    async def read_consent(self, key: AccountKey) -> Consent:
        """Return how one account stands. Only reads."""
        account = await self._store.tokens.account(key.connection, key.system)
        if account is None or account.state != NEEDS_CONSENT:
            return Consent(needed=False)
        remedy = "mend the setting and restart the workers, or retry if the system is in order again"
        if account.connected:
            remedy = f"ledgerline connect {key.system} --connection {key.connection}"
        return Consent(needed=True, reason=account.reason, remedy=remedy)

    @activity.defn
    async def open_consent_hold(self, key: AccountKey) -> None:
        """List the account. Safe to repeat: it has one hold."""
        consent = await self.read_consent(key)
        evidence = {"explanation": f"{consent.reason}. What to do: {consent.remedy}", "system": key.system}
        record = RecordKey(key.connection, CONNECTION_FLOW, key.system)
        await self._store.holds.open(str(activity.info().workflow_id), record, REASON, evidence)

    @activity.defn
    async def close_consent_hold(self) -> None:
        """Take the account off the list. Safe to repeat."""
        await self._store.holds.close(str(activity.info().workflow_id))

    @activity.defn
    async def try_account_again(self, key: AccountKey) -> None:
        """Use once more what is stored, because a person says so. Safe to repeat."""
        await self._store.tokens.try_again(key.connection, key.system)
