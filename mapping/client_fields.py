"""The fields of a FreshBooks client that can be written. Source: https://www.freshbooks.com/api/clients"""

import difflib

from mapping.values import MappingError

_ADDRESS_PARTS = ("street", "street2", "city", "province", "code", "country")

TEXT_FIELDS = frozenset(
    {
        *("fname", "lname", "organization", "email", "bus_phone", "mob_phone", "home_phone", "fax"),
        *(f"p_{part}" for part in _ADDRESS_PARTS),  # the billing address
        *(f"s_{part}" for part in _ADDRESS_PARTS),  # the shipping address
        *("currency_code", "language", "note", "vat_name", "vat_number", "company_industry", "company_size"),
    }
)
"""Those that hold text."""

FLAG_FIELDS = frozenset(
    {"allow_late_fees", "allow_late_notifications", "allow_email_include_pdf", "pref_email", "pref_gmail"}
)
"""Those that hold yes/no."""


def require_client_field(field: str) -> None:
    """Raise MappingError unless clients have a writable field of this name."""
    known = sorted(TEXT_FIELDS | FLAG_FIELDS)
    if field not in known:
        near = difflib.get_close_matches(field, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Allowed: {', '.join(known)}"
        raise MappingError((field,), f"FreshBooks clients have no writable field of this name. {hint}")
