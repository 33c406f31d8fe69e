"""The store as one object, for the processes that need all of it."""

from runtime.keys import KeyRing, load_keys
from runtime.settings import Settings
from store.audit import Audit
from store.callbacks import Callbacks
from store.cursors import Cursors
from store.database import Database
from store.holds import Holds
from store.inbox import Inbox
from store.intents import Intents
from store.links import Links


class Store:
    """Everything that is kept, over one database."""

    def __init__(self, url: str, keys: KeyRing) -> None:
        self.database = Database(url)
        self.keys = keys
        self.audit = Audit(self.database)
        self.callbacks = Callbacks(self.database, keys)
        self.cursors = Cursors(self.database)
        self.holds = Holds(self.database, keys)
        self.inbox = Inbox(self.database)
        self.intents = Intents(self.database, keys)
        self.links = Links(self.database, keys)

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
