"""FreshBooks. Source: https://www.freshbooks.com/api/get-authenticated-on-the-freshbooks-api"""

from connectors.oauth import Provider

PROVIDER = Provider(
    system="freshbooks",
    title="FreshBooks",
    authorize_url="https://auth.freshbooks.com/oauth/authorize",
    tokens_url="https://api.freshbooks.com/auth/oauth/token",
    revoke_url="https://api.freshbooks.com/auth/oauth/revoke",
    redirect_uri_on_refresh=True,
)
"""FreshBooks' OAuth endpoints. A refresh token works once. Source: https://www.freshbooks.com/api/authentication"""
