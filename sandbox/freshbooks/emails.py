"""Emails that the account sends. They are kept as records of their own: one that has left cannot be taken back."""

from sandbox.freshbooks.account import Account, eastern
from sandbox.freshbooks.errors import refused
from sandbox.freshbooks.values import flag, text
from sandbox.ledger import Record

KIND = "email"


def send(account: Account, kind: str, document: Record, asked: Record) -> None:
    """Send a document to those whom the request names, or to its client. Raises a 422 if there is no address."""
    client = account.records.get("client", document["customerid"]) or {}
    recipients = asked.get("email_recipients") or [client.get("email", "")]
    if not isinstance(recipients, list) or not all(isinstance(each, str) and "@" in each for each in recipients):
        raise refused(1004, "'email_recipients' needs an email address.", "email_recipients", kind)
    words = asked.get(f"{kind}_customized_email")
    custom: Record = words if isinstance(words, dict) else {}
    number = account.next_id(KIND)
    email = {
        "id": number,
        "accounting_systemid": document["accounting_systemid"],
        "kind": kind,
        "object_id": document["id"],
        "recipients": recipients,
        "subject": text("subject", custom.get("subject"), "", kind),
        "body": text("body", custom.get("body"), "", kind, long=True),
        "include_pdf": flag("email_include_pdf", asked.get("email_include_pdf", False), kind),
        "sent_at": eastern(account.now()),
    }
    account.records.commit("create", KIND, number, email)
