"""Zoho CRM, REST API v8. Source: https://www.zoho.com/crm/developer/docs/api/v8/"""

from connectors import zoho
from connectors.oauth import Provider, Scope

SCOPES = (
    Scope("ZohoCRM.modules.contacts.READ", "reading and finding contacts, and those deleted"),
    Scope("ZohoCRM.modules.contacts.CREATE", "creating contacts"),
    Scope("ZohoCRM.modules.contacts.UPDATE", "changing contacts"),
    Scope("ZohoCRM.modules.accounts.READ", "reading and finding accounts, and those deleted"),
    Scope("ZohoCRM.modules.accounts.CREATE", "creating accounts"),
    Scope("ZohoCRM.modules.accounts.UPDATE", "changing accounts"),
    Scope("ZohoCRM.settings.modules.READ", "checking that the mapping's modules exist"),
    Scope("ZohoCRM.settings.fields.READ", "checking that the mapping's fields exist and can be written"),
    Scope("ZohoCRM.settings.fields.CREATE", "making the field that carries our reference; nothing else is made"),
    Scope("ZohoCRM.users.READ", "knowing who we are, and who owns a record"),
    Scope("ZohoCRM.org.READ", "knowing whose account it is"),
    Scope("ZohoCRM.coql.READ", "finding records that have only just been written"),
    Scope("ZohoSearch.securesearch.READ", "finding records by email address, and counting them"),
    Scope("ZohoCRM.notifications.ALL", "hearing of changes at once"),
)
"""What the clients' sync needs. Nothing is deleted."""
LEADS = (
    Scope("ZohoCRM.modules.leads.READ", "finding the open lead of a new customer"),
    Scope("ZohoCRM.modules.leads.CREATE", "converting that lead"),
)
"""What it needs besides where leads are converted. Which right Zoho wants for that is not documented."""
DEALS = (
    Scope("ZohoCRM.modules.deals.READ", "reading deals, and those deleted"),
    Scope("ZohoCRM.modules.deals.UPDATE", "moving deals to another stage, and changing their name, amount and fields"),
    Scope("ZohoCRM.modules.deals.CREATE", "writing notes on deals; no deal is made"),
    Scope("ZohoCRM.modules.notes.READ", "finding the notes that we wrote"),
    Scope("ZohoCRM.modules.notes.CREATE", "writing notes on deals"),
    Scope("ZohoCRM.settings.layouts.READ", "finding the pipelines of deals"),
    Scope("ZohoCRM.settings.pipeline.READ", "knowing which stages are open, won and lost"),
)
"""What the opportunities' sync needs besides. Whether a note takes the right to create deals is not documented."""


def provider(data_centre: str, *, leads: bool = False, deals: bool = False) -> Provider:
    """Return the OAuth endpoints of one data centre, and what we ask for there, with rights on leads and deals or
    without.

    Source: https://www.zoho.com/crm/developer/docs/api/v8/scopes.html
    """
    more = (*(LEADS if leads else ()), *(DEALS if deals else ()))
    return zoho.provider("zoho_crm", "Zoho CRM", (*SCOPES, *more), data_centre)


PROVIDER = provider("us")
