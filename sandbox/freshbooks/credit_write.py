"""Creating, changing, using up and deleting credit notes. Source: https://www.freshbooks.com/api/parameters"""

from decimal import Decimal

from sandbox.freshbooks.account import ACCOUNT_ID, CURRENCY, LANGUAGE, Account
from sandbox.freshbooks.document_fields import stamped
from sandbox.freshbooks.document_kind import DocumentKind
from sandbox.freshbooks.document_lines import lines
from sandbox.freshbooks.errors import refused, unknown
from sandbox.freshbooks.payment_fields import DELETED, others_from
from sandbox.freshbooks.totals import reckoner, totals
from sandbox.freshbooks.values import currency, day, text, vis_state, whole
from sandbox.ledger import Record

THING = "credit_note"
KINDS = ("goodwill", "prepayment")
"""What a caller may choose; `overpayment` only a payment brings about."""


def _own(document: Record, draft: Record, *, new: bool) -> Record:
    del draft, new
    return document


LINES = DocumentKind(THING, {}, _own, {}, lambda _settings: False)


class CreditWriter:
    """Writes credit notes, for callers of the API, for people, and for payments that were too much."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def create(self, draft: Record, account_id: str = ACCOUNT_ID) -> Record:
        """Create a credit note and return it. Raises a 404 or a 422."""
        if draft.get("create_date") in (None, ""):
            raise refused(1001, "'create_date' is a required field.", "create_date", THING)
        sort = draft.get("credit_type") or "goodwill"
        if sort not in KINDS:
            raise refused(1004, "'credit_type' is not one that can be chosen.", "credit_type", THING, value=sort)
        client = self._client(draft, account_id)
        code = currency(draft.get("currency_code") or client.get("currency_code") or CURRENCY, THING)
        credit = self._blank(client, account_id, code, day("create_date", draft["create_date"], THING).isoformat())
        credit["credit_type"] = sort
        return self._store("create", self._written(credit, draft))

    def edit(self, credit_id: int, changes: Record) -> Record:
        """Change a credit note by the first phase that applies, and return it. Raises the 404 or a 422."""
        credit = self.found(credit_id)
        if "vis_state" in changes and "ext_vis_state" not in changes:
            return self._store("update", {**credit, "vis_state": vis_state(changes["vis_state"], THING)})
        if "ext_vis_state" in changes or any(key.startswith("action_") for key in changes):
            return self._store("update", credit)
        return self._store("update", self._written(credit, changes))

    def remove(self, credit_id: int) -> Record:
        """Delete a credit note, which hides it, and return it. Raises the 404."""
        return self.edit(credit_id, {"vis_state": DELETED})

    def found(self, credit_id: int) -> Record:
        """Return a credit note. Raises the 404."""
        credit = self._account.records.get(THING, credit_id)
        if credit is None:
            raise unknown(THING, "creditid", credit_id)
        return credit

    def overpaid(self, credit_id: int | None, payment: Record, amount: Record) -> int:
        """Return the id of the credit note over what a payment was too much, which is made or brought in step."""
        known = self._account.records.get(THING, credit_id) if credit_id is not None else None
        if known is not None:
            if (known["amount"], known["vis_state"]) != (amount, 0):
                self._store("update", {**known, "amount": amount, "vis_state": 0})
            return int(known["id"])
        client = self._account.records.get("client", payment["clientid"]) or {"id": payment["clientid"]}
        credit = self._blank(client, payment["accounting_systemid"], amount["code"], payment["date"])
        return int(self._store("create", {**credit, "credit_type": "overpayment", "amount": amount})["id"])

    def hide(self, credit_id: int) -> None:
        """Delete the credit note of an overpayment that is none any more."""
        credit = self._account.records.get(THING, credit_id)
        if credit is not None and credit["vis_state"] != DELETED:
            self._store("update", {**credit, "vis_state": DELETED})

    def rebalance(self, credit_id: int | None) -> None:
        """Store a credit note with what was paid from it."""
        credit = self._account.records.get(THING, credit_id or 0)
        if credit is not None:
            self._store("update", credit)

    def _client(self, draft: Record, account_id: str) -> Record:
        if not draft.get("clientid"):
            raise refused(1001, "'clientid' is a required field.", "clientid", THING)
        number = whole("clientid", draft["clientid"], THING)
        client = self._account.records.get("client", number)
        if client is None or client["accounting_systemid"] != account_id:
            raise unknown("client", "clientid", number)
        return client

    def _blank(self, client: Record, account_id: str, code: str, date: str) -> Record:
        names = {key: client.get(key, "") for key in ("fname", "lname", "organization")}
        return {
            **dict.fromkeys(("id", "creditid"), 0),
            "accounting_systemid": account_id,
            "clientid": client["id"],
            "create_date": date,
            "credit_number": "",
            "credit_type": "goodwill",
            "currency_code": code,
            "language": client.get("language") or LANGUAGE,
            **names,
            **dict.fromkeys(("payment_type", "terms")),
            "notes": "",
            "template": "clean-grouped",
            "status": "created",
            "display_status": "created",
            "amount": reckoner(self._account.settings, code).money(Decimal(0)),
            "vis_state": 0,
            "lines": [],
        }

    def _written(self, credit: Record, draft: Record) -> Record:
        changed = dict(credit)
        for key, empty in (("notes", ""), ("terms", None), ("credit_number", "")):
            if key in draft:
                changed[key] = text(key, draft[key], empty, THING, long=key != "credit_number")
        if draft.get("lines") is not None:
            reckon = reckoner(self._account.settings, credit["currency_code"])
            rows = lines(self._account, LINES, credit["id"], draft["lines"], reckon)
            kept = [{key: value for key, value in row.items() if key != LINES.id_key} for row in rows]
            changed["lines"] = [{**row, "creditid": credit["id"]} for row in kept]
            changed["amount"] = reckon.money(totals(reckon, changed["lines"], "0")[1])
        return changed

    def _store(self, operation: str, credit: Record) -> Record:
        if not credit["id"]:
            number = self._account.next_id(THING)
            credit = {**credit, "id": number, "creditid": number}
            credit["credit_number"] = credit["credit_number"] or f"CR-{number}"
            credit["lines"] = [{**each, "creditid": number} for each in credit["lines"]]
        complete = stamped(self._account, {**credit, **self._used(credit)})
        self._account.records.commit(operation, THING, complete["id"], complete)
        return complete

    def _used(self, credit: Record) -> Record:
        """Return what was paid from a credit note, and how far that is."""
        payments = others_from(self._account, {"id": 0}, credit["id"]) if credit["id"] else []
        used = sum((Decimal(each["amount"]["amount"]) for each in payments), Decimal(0))
        word = "unpaid" if not used else "paid" if used >= Decimal(credit["amount"]["amount"]) else "partial"
        return {"paid": reckoner(self._account.settings, credit["currency_code"]).money(used), "payment_status": word}
