"""Capsule CRM, REST API v2. Source: https://developer.capsulecrm.com/v2/overview/reading-from-the-api"""

from connectors.oauth import Provider

PROVIDER = Provider(
    system="capsule",
    title="Capsule",
    authorize_url="https://api.capsulecrm.com/oauth/authorise",
    tokens_url="https://api.capsulecrm.com/oauth/token",
    # The discovery document names /oauth/revoke; the documentation pages name this one, and pages are dated.
    revoke_url="https://api.capsulecrm.com/oauth/token/revoke",
)
"""Capsule's OAuth endpoints. Source: https://developer.capsulecrm.com/v2/overview/authentication"""
