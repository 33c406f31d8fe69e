"""Creating, changing and deleting clients.

Source: https://www.freshbooks.com/api/clients, /api/active_deleted, /api/parameters
"""

from sandbox.freshbooks.account import ACCOUNT_ID, Account, eastern
from sandbox.freshbooks.client_fields import blank, written
from sandbox.freshbooks.errors import unknown_client
from sandbox.freshbooks.values import vis_state
from sandbox.ledger import Record

DELETED = 1


def create(account: Account, draft: Record, account_id: str = ACCOUNT_ID) -> Record:
    """Create a client and return it. With an email address alone that becomes the organization's name too. Raises a
    422.
    """
    at = account.now()
    client = written(account, blank(account, 0, at), draft)
    if client["email"] and not (client["organization"] or client["fname"] or client["lname"]):
        client["organization"] = client["email"]
    number = account.records.next_id("client")
    named = blank(account, number, at)
    given = draft.get("username")
    client |= {"id": number, "userid": number, "uuid": named["uuid"], "username": given or named["username"]}
    client["accounting_systemid"] = account_id
    client["contacts"] = [{**each, "userid": number} for each in client["contacts"]]
    account.records.commit("create", "client", number, client)
    return client


def update(account: Account, client: Record, changes: Record) -> Record:
    """Change a client by the first phase that applies, and return it; what belongs to later phases is dropped without
    a word. Raises a 422.
    """
    changed = {**_phase(account, client, changes), "updated": eastern(account.now())}
    account.records.commit("update", "client", client["id"], changed)
    return changed


def remove(account: Account, client_id: int) -> Record:
    """Delete a client, which hides it, and return it. Raises the 404."""
    return edit(account, client_id, {"vis_state": DELETED})


def edit(account: Account, client_id: int, changes: Record) -> Record:
    """Change a client of any account, and return it. Raises the 404 or a 422."""
    client = account.records.get("client", client_id)
    if client is None:
        raise unknown_client(client_id)
    return update(account, client, changes)


def _phase(account: Account, client: Record, changes: Record) -> Record:
    if "ext_vis_state" in changes:
        return client  # of no consequence for clients that is known of
    if "vis_state" in changes:
        return {**client, "vis_state": vis_state(changes["vis_state"], "client")}
    if any(key.startswith("action_") for key in changes):
        return client
    return written(account, client, changes)
