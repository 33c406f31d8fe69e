"""What FreshBooks tells of estimates and invoices, and which rights it takes to hear it."""

import pytest

from connectors.freshbooks import DOCUMENT_SCOPES, PROVIDER, provider
from connectors.freshbooks.hooks import DOCUMENT_EVENTS, parse_delivery, parse_fields, signature, verify


@pytest.mark.parametrize("noun", DOCUMENT_EVENTS)
@pytest.mark.parametrize("verb", ["create", "update", "delete", "sendByEmail"])
def test_an_event_names_the_document_and_what_happened_to_it(noun: str, verb: str) -> None:
    """F13, F14: a hint; the document is fetched."""
    body = f"name={noun}.{verb}&object_id=70001&account_id=aB3xYz&business_id=880001&identity_id=7001&user_id=1"
    fields = parse_fields(body.encode())
    said = parse_delivery(fields)
    assert (said.noun, said.verb, said.object_id, said.account_id) == (noun, verb, 70001, "aB3xYz")
    assert verify("key", fields, signature("key", fields))


def test_each_event_needs_the_right_to_read_what_it_tells_of() -> None:
    asked = {each.name for each in DOCUMENT_SCOPES}
    assert {f"user:{noun}s:read" for noun in DOCUMENT_EVENTS} <= asked


def test_rights_on_documents_are_asked_for_only_where_they_are_synced() -> None:
    assert not set(DOCUMENT_SCOPES) & set(PROVIDER.scopes)
    assert set(provider(documents=True).scopes) == {*PROVIDER.scopes, *DOCUMENT_SCOPES}
