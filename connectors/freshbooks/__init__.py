"""FreshBooks. Source: https://www.freshbooks.com/api/get-authenticated-on-the-freshbooks-api"""

from connectors.oauth import Provider, Scope

SCOPES = (
    Scope("user:profile:read", "knowing whose account it is; FreshBooks grants it in any case"),
    Scope("user:clients:read", "reading and finding clients, and hearing of their changes"),
    Scope("user:clients:write", "creating and changing clients"),
)
"""What the clients' sync needs."""
DOCUMENT_SCOPES = (
    Scope("user:estimates:read", "reading and finding estimates, and hearing of their changes"),
    Scope("user:estimates:write", "creating, changing and accepting estimates"),
    Scope("user:invoices:read", "reading and finding invoices, and hearing of their changes"),
    Scope("user:invoices:write", "creating, changing and sending invoices"),
    Scope("user:billable_items:read", "reading items"),
    Scope("user:taxes:read", "reading taxes"),
    Scope("user:teams:read", "knowing who works in the business, by email address"),
)
"""What it needs besides where opportunities become estimates and invoices. Nothing is deleted for good."""

PAYMENT_SCOPES = (
    Scope("user:invoices:read", "reading and finding invoices, and hearing of their changes"),
    Scope("user:payments:read", "reading payments, and hearing of their changes"),
    Scope("user:credit_notes:read", "reading credit notes, which overpayments become"),
)
"""What it needs where payments are reconciled."""

HOURS_SCOPES = (
    Scope("user:time_entries:read", "reading the hours that are not billed"),
    Scope("user:time_entries:write", "marking hours as billed"),
    Scope("user:projects:read", "reading which client a project is for, and its rate"),
    Scope("user:billable_items:read", "reading services and their rates"),
    Scope("user:teams:read", "reading the names and rates of team members"),
    Scope("user:invoices:read", "finding the invoices of hours"),
    Scope("user:invoices:write", "making the invoices of hours"),
    Scope("user:payments:read", "reporting what was paid of them"),
)
"""What it needs where hours are billed."""

PROJECT_SCOPES = (
    Scope("user:projects:read", "reading and finding projects, and hearing of their changes"),
    Scope("user:projects:write", "creating and changing projects"),
)
"""What it needs where projects are made."""

PROJECT_FACTS_SCOPES = (
    Scope("user:time_entries:read", "reading the hours that are logged on projects"),
    Scope("user:invoices:read", "seeing whether an invoice of these hours still counts"),
)
"""What it needs where the CRM shows what becomes of them."""


def provider(
    *, documents: bool = False, payments: bool = False, hours: bool = False, projects: bool = False
) -> Provider:
    """Return FreshBooks' OAuth endpoints and what we ask for there, with rights on each of these.

    A refresh token works once. Source: https://www.freshbooks.com/api/authentication, /api/scopes
    """
    wanted = [*SCOPES, *(DOCUMENT_SCOPES if documents else ()), *(PAYMENT_SCOPES if payments else ())]
    wanted += [*(HOURS_SCOPES if hours else ()), *((*PROJECT_SCOPES, *PROJECT_FACTS_SCOPES) if projects else ())]
    return Provider(
        system="freshbooks",
        title="FreshBooks",
        authorize_url="https://auth.freshbooks.com/oauth/authorize",
        tokens_url="https://api.freshbooks.com/auth/oauth/token",
        revoke_url="https://api.freshbooks.com/auth/oauth/revoke",
        redirect_uri_on_refresh=True,
        scopes=tuple({each.name: each for each in wanted}.values()),
    )


PROVIDER = provider()
