"""FreshBooks. Source: https://www.freshbooks.com/api/get-authenticated-on-the-freshbooks-api"""

from connectors.oauth import Provider, Scope

PROVIDER = Provider(
    system="freshbooks",
    title="FreshBooks",
    authorize_url="https://auth.freshbooks.com/oauth/authorize",
    tokens_url="https://api.freshbooks.com/auth/oauth/token",
    revoke_url="https://api.freshbooks.com/auth/oauth/revoke",
    redirect_uri_on_refresh=True,
    scopes=(
        Scope("user:profile:read", "knowing whose account it is; FreshBooks grants it in any case"),
        Scope("user:clients:read", "reading and finding clients, and hearing of their changes"),
        Scope("user:clients:write", "creating and changing clients"),
    ),
)
"""FreshBooks' OAuth endpoints. A refresh token works once.

Source: https://www.freshbooks.com/api/authentication, /api/scopes
"""
