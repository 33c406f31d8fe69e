"""The store as one object, for the processes that need all of it."""

from runtime.keys import KeyRing, load_keys
from runtime.settings import Settings
from store.alerts import Alerts
from store.audit import Audit
from store.bills import Bills
from store.callbacks import Callbacks
from store.channels import Channels
from store.cursors import Cursors
from store.database import Database
from store.erasure import Erasure
from store.holds import Holds
from store.inbox import Inbox
from store.intents import Intents
from store.lags import Lags
from store.latencies import Latencies
from store.links import Links
from store.marks import Marks
from store.news import News
from store.payments import Payments
from store.plans import Plans
from store.quotas import Quotas
from store.reconciliations import Reconciliations
from store.sightings import Sightings
from store.signs import Signs
from store.status import Statuses
from store.tokens import Tokens
from store.waiting import Waiting


class Store:
    """Everything that is kept, over one database."""

    def __init__(self, url: str, keys: KeyRing) -> None:
        self.database = Database(url)
        self.keys = keys
        self.alerts = Alerts(self.database)
        self.audit = Audit(self.database, keys)
        self.bills = Bills(self.database, keys)
        self.callbacks = Callbacks(self.database, keys)
        self.channels = Channels(self.database)
        self.cursors = Cursors(self.database)
        self.erasure = Erasure(self.database, keys)
        self.holds = Holds(self.database, keys)
        self.inbox = Inbox(self.database)
        self.intents = Intents(self.database, keys)
        self.lags = Lags(self.database)
        self.latencies = Latencies(self.database)
        self.links = Links(self.database, keys)
        self.news = News(self.database)
        self.payments = Payments(self.database)
        self.plans = Plans(self.database, keys)
        self.quotas = Quotas(self.database)
        self.reconciliations = Reconciliations(self.database, keys)
        self.sightings = Sightings(self.database)
        self.signs = Signs(self.database)
        self.statuses = Statuses(self.database)
        self.tokens = Tokens(self.database, keys)
        self.marks = Marks(self.database)
        self.waiting = Waiting(self.database)

    async def close(self) -> None:
        """Give the database's connections back."""
        await self.database.close()


async def open_store(settings: Settings) -> Store:
    """Return the store, its tables brought to the newest version.

    Raises StoreUnreachable, or KeyProblem if the installation's key cannot be read.
    """
    store = Store(settings.store_url, load_keys(settings.data))
    await store.database.migrate()
    return store
