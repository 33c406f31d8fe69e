"""How something is created in one of a connection's accounts."""

from activities.write_once import WriteOnce
from runtime.settings import Connection
from store.store import Store


def write_once(connection: Connection, store: Store, system: str) -> WriteOnce:
    """Return how something is created in one of a connection's accounts."""
    return WriteOnce(store, system, connection.settle_time, connection.request_timeout)
