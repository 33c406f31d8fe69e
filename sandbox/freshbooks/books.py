"""Puts documents, payments, credit notes, items, taxes and staff together: their addresses, and what people do."""

from collections.abc import Callable

from sandbox.calls import Handler, Operation
from sandbox.freshbooks.account import ACCOUNT_ID, Account
from sandbox.freshbooks.catalogue import ITEM, TAX, Catalogue, Entry
from sandbox.freshbooks.credit_write import CreditWriter
from sandbox.freshbooks.document_kind import DocumentKind
from sandbox.freshbooks.documents import Documents
from sandbox.freshbooks.estimates import ESTIMATE
from sandbox.freshbooks.invoices import INVOICE
from sandbox.freshbooks.list_filters import CREDITS, PAYMENTS
from sandbox.freshbooks.oauth import ALWAYS_GRANTED
from sandbox.freshbooks.payment_write import PaymentWriter
from sandbox.freshbooks.payments import MoneyKind, MoneyRecords
from sandbox.freshbooks.staff import Staff
from sandbox.hands import Hands
from sandbox.ledger import Record

ACCOUNTING = "/accounting/account/{account}"
SCOPES = {"estimate": "estimates", "invoice": "invoices", "item": "billable_items", "tax": "taxes"} | {
    "payment": "payments",
    "credit_note": "credit_notes",
}
Create = Callable[[Record, str], Record]


class Books:
    """All that the account has beside its clients."""

    def __init__(self, account: Account) -> None:
        self._documents = [(kind, Documents(account, kind)) for kind in (ESTIMATE, INVOICE)]
        self._catalogue = [(entry, Catalogue(account, entry)) for entry in (ITEM, TAX)]
        self.credits = CreditWriter(account)
        self.payments = PaymentWriter(account, self.credits)
        self._account = account

    def operations(self) -> list[Operation]:
        """Return what the API answers."""
        found = [each for kind, documents in self._documents for each in _of_documents(kind, documents)]
        found += [each for entry, catalogue in self._catalogue for each in _of_catalogue(entry, catalogue)]
        found += [each for kind in self._money() for each in _of_money(kind, MoneyRecords(self._account, kind))]
        return [*found, *_of_staff(Staff(self._account))]

    def hands(self) -> dict[str, Hands]:
        """Return what people do in FreshBooks' web interface, and a client on the page of a document."""
        found = {kind.name: self._with_documents(kind, documents) for kind, documents in self._documents}
        found |= {
            "payment": Hands(
                lambda draft: self.payments.create(
                    draft, str(draft.get("accounting_systemid", ACCOUNT_ID)), by_hand=True
                ),
                self.payments.edit,
                self.payments.remove,
                {"refund": self.payments.refund},
            ),
            "credit_note": Hands(_anywhere(self.credits.create), self.credits.edit, self.credits.remove),
        }
        return found | {
            entry.name: Hands(_anywhere(catalogue.add), catalogue.edit, catalogue.remove)
            for entry, catalogue in self._catalogue
        }

    def _money(self) -> list[MoneyKind]:
        return [
            MoneyKind("payment", "logid", PAYMENTS, self.payments.create, self.payments.update),
            MoneyKind(
                "credit_note",
                "creditid",
                CREDITS,
                self.credits.create,
                lambda credit, changes: self.credits.edit(credit["id"], changes),
            ),
        ]

    @staticmethod
    def _with_documents(kind: DocumentKind, documents: Documents) -> Hands:
        writer = documents.writer
        deeds = {"view": writer.viewed, **({"accept": writer.accepted} if kind is ESTIMATE else {})}
        return Hands(_anywhere(writer.create), writer.edit, writer.remove, deeds)


def _anywhere(create: Create) -> Callable[[Record], Record]:
    """A person may work in a further account too, which the draft then names."""
    return lambda draft: create(draft, str(draft.get("accounting_systemid", ACCOUNT_ID)))


def _of_documents(kind: DocumentKind, documents: Documents) -> list[Operation]:
    path = f"{ACCOUNTING}/{kind.name}s/{kind.name}s"
    return _resource(path, SCOPES[kind.name], documents, documents.delete)


def _of_money(kind: MoneyKind, records: MoneyRecords) -> list[Operation]:
    return _resource(f"{ACCOUNTING}/{kind.name}s/{kind.name}s", SCOPES[kind.name], records, None)


def _of_catalogue(entry: Entry, catalogue: Catalogue) -> list[Operation]:
    path = f"{ACCOUNTING}/{entry.plural}/{entry.plural}"
    return _resource(path, SCOPES[entry.name], catalogue, catalogue.delete if entry is TAX else None)


def _resource(
    path: str, noun: str, handlers: Documents | MoneyRecords | Catalogue, delete: Handler | None
) -> list[Operation]:
    read, write, one = f"user:{noun}:read", f"user:{noun}:write", f"{path}/{{id}}"
    return [
        Operation("GET", path, handlers.index, read),
        Operation("POST", path, handlers.create, write),
        Operation("GET", one, handlers.get, read),
        Operation("PUT", one, handlers.update, write),
        *([Operation("DELETE", one, delete, write)] if delete else []),
    ]


def _of_staff(staff: Staff) -> list[Operation]:
    path, team, scope = (
        f"{ACCOUNTING}/users/staffs",
        "/auth/api/v1/businesses/{business}/team_members",
        "user:teams:read",
    )
    return [
        Operation("GET", path, staff.index, scope),
        Operation("GET", f"{path}/{{id}}", staff.get, scope),
        Operation("GET", team, staff.team, scope),
        Operation("GET", f"{team}/{{uuid}}", staff.member, scope),
        Operation("GET", "/auth/api/v1/users/business/{business}", staff.business, ALWAYS_GRANTED),
    ]
