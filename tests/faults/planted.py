"""Strings that are planted in a small system, to be looked for afterwards in all that it leaves behind.

Each holds a mark: eleven characters that occur nowhere else by chance, and that no mapping changes.
"""

import hashlib
from dataclasses import dataclass

PERSONAL_KINDS = (
    "first name",
    "last name",
    "last name after a change",
    "job title",
    "name of an organisation",
    "note",
    "IBAN in the note",
    "work email",
    "private email",
    "work phone",
    "mobile phone",
    "private phone",
    "fax",
    "phone after a change",
    "street",
    "second line of the street",
    "city",
    "province",
    "postcode",
    "street of the shipping address",
    "VAT number",
    "VAT number changed in the books",
    "website",
    "email that is refused",
    "country that nobody knows",
    "name that a provider quotes in an error",
    "name in a malformed answer",
    "name in the body of a webhook",
)
SECRET_KINDS = (
    "cookie that a provider sets",
    "header of an answer",
    "address of a redirection",
    "token that a provider quotes in an error",
    "token in the body of an outage",
    "token in a malformed answer",
    "guessed secret in the path of a webhook",
    "query of a webhook",
    "authorization header of a webhook",
    "cookie of a webhook",
    "signature of a webhook",
    "token in the body of a webhook",
    "verifier of a forged handshake",
    "password of the database",
    "address of an alert channel",
)
NUMBERS = ("phone", "fax", "IBAN")


@dataclass(frozen=True)
class Mark:
    """What is looked for, and what it stands for."""

    kind: str
    text: str


def mark(kind: str) -> Mark:
    """Return the mark of a kind: letters and digits, or digits alone where it is part of a number."""
    digest = hashlib.blake2b(kind.encode(), digest_size=8).hexdigest()
    digits = str(int(digest, 16))[-10:]
    return Mark(kind, f"7{digits}" if any(word in kind for word in NUMBERS) else f"xq{digest[:9]}")


def text(kind: str) -> str:
    """Return the mark of a planted kind. Raises ValueError for a kind that nobody would look for."""
    if kind not in PERSONAL_KINDS + SECRET_KINDS:
        raise ValueError(f"{kind} is not among the planted kinds")
    return mark(kind).text


def person() -> dict[str, object]:
    """Return a party that has everything a party can have."""
    return {
        "type": "person",
        "firstName": f"Käthe-{text('first name')}",
        "lastName": f"Quist {text('last name')}",
        "jobTitle": text("job title"),
        "about": f"{text('note')}, pays from DE{text('IBAN in the note')}",
        "emailAddresses": [
            {"type": "Work", "address": f"{text('work email')}@planted.example"},
            {"type": "Home", "address": f"{text('private email')}@planted.example"},
        ],
        "phoneNumbers": [
            {"type": "Work", "number": f"+44{text('work phone')}"},
            {"type": "Mobile", "number": f"+44{text('mobile phone')}"},
            {"type": "Home", "number": f"+44{text('private phone')}"},
            {"type": "Fax", "number": f"+44{text('fax')}"},
        ],
        "addresses": [
            {
                "type": "Office",
                "street": f"{text('street')} 1\n{text('second line of the street')}",
                "city": text("city"),
                "state": text("province"),
                "zip": text("postcode"),
                "country": "Sweden",
            },
            {"type": "Shipping", "street": text("street of the shipping address"), "country": "Sweden"},
        ],
        "websites": [{"service": "URL", "address": f"https://{text('website')}.example"}],
    }
