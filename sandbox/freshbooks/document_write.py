"""Creating, changing and deleting estimates and invoices.

Source: https://www.freshbooks.com/api/estimates, /api/invoices, /api/active_deleted
"""

from sandbox.freshbooks import estimates, invoices
from sandbox.freshbooks.account import ACCOUNT_ID, Account
from sandbox.freshbooks.document_fields import DELETED, blank, stamped, written
from sandbox.freshbooks.document_kind import DocumentKind
from sandbox.freshbooks.document_numbers import Numbers
from sandbox.freshbooks.errors import unknown
from sandbox.freshbooks.invoices import INVOICE
from sandbox.freshbooks.values import vis_state
from sandbox.ledger import Record
from sandbox.lookup import Lookup


class DocumentWriter:
    """Writes one kind of document, for callers of the API and for people alike."""

    def __init__(self, account: Account, kind: DocumentKind, lookup: Lookup) -> None:
        self._account, self._kind, self._numbers = account, kind, Numbers(account, kind, lookup)

    def create(self, draft: Record, account_id: str = ACCOUNT_ID) -> Record:
        """Create a document and return it. An invoice of an estimate makes that invoiced, and takes nothing over."""
        document = blank(self._account, self._kind, 0, account_id)
        document = written(self._account, self._kind, document, draft, new=True)
        document[self._kind.number_key] = self._numbers.wanted(document, draft)
        estimate = self._checked(document)
        number = self._account.next_id(self._kind.name)
        document |= {"id": number, self._kind.id_key: number}
        document["uuid"] = self._account.uuid_of(f"{self._kind.name} {number}")
        document["lines"] = [{**each, self._kind.id_key: number} for each in document["lines"]]
        stored = self._store("create", document)
        if estimate:
            turned = stamped(self._account, estimates.invoiced(estimate))
            self._account.records.commit("update", "estimate", estimate["id"], turned)
        return stored

    def update(self, document: Record, changes: Record) -> Record:
        """Change a document by the first phase that applies, and return it; what belongs to later phases is dropped
        without a word. Raises a 422, or the 403 for a field that is only read.
        """
        if "ext_vis_state" in changes:
            return self._store("update", document)
        if "vis_state" in changes:
            return self._store("update", {**document, "vis_state": vis_state(changes["vis_state"], self._kind.name)})
        if any(key.startswith("action_") for key in changes):
            return self._act(document, changes)
        return self._rewritten(document, changes)

    def edit(self, document_id: int, changes: Record) -> Record:
        """Change a document of any account, and return it. Raises the 404 or a 422."""
        return self.update(self.found(document_id), changes)

    def remove(self, document_id: int) -> Record:
        """Delete a document, which hides it, and return it. Raises the 404."""
        return self.edit(document_id, {"vis_state": DELETED})

    def viewed(self, document_id: int, _body: Record) -> Record:
        """The client opens the document in the browser. Raises the 404."""
        before = self.found(document_id)
        after = (invoices.view if self._kind is INVOICE else estimates.view)(before)
        return before if after is before else self._store("update", after)

    def accepted(self, document_id: int, _body: Record) -> Record:
        """The client accepts the estimate in the browser. Raises the 404."""
        return self._store("update", estimates.accept(self._account, self.found(document_id), {}))

    def found(self, document_id: int) -> Record:
        """Return a document. Raises the 404."""
        document = self._account.records.get(self._kind.name, document_id)
        if document is None:
            raise unknown(self._kind.name, self._kind.id_key, document_id)
        return document

    def _act(self, document: Record, changes: Record) -> Record:
        """Do what the body asks for; an action that does not exist does nothing."""
        for name, act in self._kind.actions.items():
            if name in changes:
                document = act(self._account, document, changes)
        return self._store("update", document)

    def _rewritten(self, document: Record, changes: Record) -> Record:
        if self._kind.name == "estimate" and self._account.settings.estimate_dates_stay:
            changes = {key: value for key, value in changes.items() if key not in ("create_date", "customerid")}
            if not changes:
                return document
        changed = written(self._account, self._kind, document, changes, new=False)
        changed[self._kind.number_key] = self._numbers.wanted(changed, changes)
        return self._store("update", changed)

    def _checked(self, invoice: Record) -> Record | None:
        return invoices.estimate_of(self._account, invoice) if self._kind is INVOICE else None

    def _store(self, operation: str, document: Record) -> Record:
        complete = invoices.with_balance(self._account, document) if self._kind is INVOICE else document
        complete = stamped(self._account, complete)
        self._account.records.commit(operation, self._kind.name, complete["id"], complete)
        return complete
