"""Capsule CRM, REST API v2. Source: https://developer.capsulecrm.com/v2/overview/reading-from-the-api"""

from connectors.oauth import Provider, Scope

PROVIDER = Provider(
    system="capsule",
    title="Capsule",
    authorize_url="https://api.capsulecrm.com/oauth/authorise",
    tokens_url="https://api.capsulecrm.com/oauth/token",
    # The discovery document names /oauth/revoke; the documentation pages name this one, and pages are dated.
    revoke_url="https://api.capsulecrm.com/oauth/token/revoke",
    scopes=(
        Scope("read", "reading parties, opportunities and what was deleted"),
        Scope("write", "writing parties and opportunities, our custom fields and notes, and registering webhooks"),
    ),
)
"""Capsule's OAuth endpoints. It has no finer rights. Source: https://developer.capsulecrm.com/v2/overview/authentication"""
