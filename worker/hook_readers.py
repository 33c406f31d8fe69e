"""Readers of webhook deliveries, made of what the connectors know and what the store keeps."""

import asyncio
from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from activities.queues import ZOHO_CRM
from connectors.capsule import hooks as capsule
from connectors.errors import MalformedHook
from connectors.freshbooks import hooks as freshbooks
from connectors.zoho_crm import hooks as zoho_crm
from runtime.keys import KeyRing
from runtime.settings import Settings
from starters.hooks import Delivery, HookReader, RefusedDelivery
from store.callbacks import Callbacks
from store.store import Store
from store.tokens import Tokens
from workflows.hooks import OPPORTUNITY_EVENTS, PARTY_EVENTS

# A delivery waits this long, at most, for its callback to be verified; its sender waits for about ten seconds.
VERIFICATION_CHECKS, VERIFICATION_CHECK_SECONDS = 20, 0.1
# Zoho takes 50 characters. Source: https://www.zoho.com/crm/developer/docs/api/v8/notifications/enable.html
TOKEN_LENGTH = 48
SIGNATURE_HEADER = "x-freshbooks-hmac-sha256"


def hook_secrets(keys: KeyRing, system: str, connection: str) -> list[str]:
    """Return the secrets in the paths of one account's webhooks, the current one first."""
    return keys.path_secrets(f"hooks {system} {connection}")


def hook_url(settings: Settings, keys: KeyRing, system: str, connection: str) -> str | None:
    """Return where one account's webhooks are to be sent; None if providers cannot reach us."""
    if settings.public_url is None:
        return None
    return f"{settings.public_url}/hooks/{system}/{connection}/{hook_secrets(keys, system, connection)[0]}"


def channel_keys(keys: KeyRing, connection: str) -> dict[str, tuple[str, SecretStr]]:
    """Return number and token of the channel of each event that a connection's Zoho CRM is asked to tell."""
    return {
        event: (_channel_number(keys, connection, event), SecretStr(_channel_tokens(keys, connection)[0]))
        for event in (*PARTY_EVENTS[ZOHO_CRM], *OPPORTUNITY_EVENTS[ZOHO_CRM])
    }


def hook_readers(settings: Settings, store: Store) -> dict[tuple[str, str], HookReader]:
    """Return a reader for each account of each connection."""
    readers: dict[tuple[str, str], HookReader] = {}
    for name, connection in settings.connections.items():
        readers[connection.crm, name] = _crm_reader(connection.crm, name, store.keys)
        readers["freshbooks", name] = FreshBooksHookReader(
            hook_secrets(store.keys, "freshbooks", name),
            name,
            connection.freshbooks.account_id,
            store.callbacks,
            store.tokens,
        )
    return readers


def _crm_reader(crm: str, connection: str, keys: KeyRing) -> HookReader:
    secrets = hook_secrets(keys, crm, connection)
    return ZohoHookReader(secrets, _channel_tokens(keys, connection)) if crm == ZOHO_CRM else CapsuleHookReader(secrets)


def _channel_number(keys: KeyRing, connection: str, event: str) -> str:
    """Return the number of a channel: always the same, with a further key too, so that it is found and renewed."""
    return str(int(keys.path_secrets(f"channel {ZOHO_CRM} {connection} {event}")[-1][:15], 16))


def _channel_tokens(keys: KeyRing, connection: str) -> list[str]:
    """Return the tokens that a genuine delivery may bring, the current one first."""
    return [secret[:TOKEN_LENGTH] for secret in keys.path_secrets(f"channel token {ZOHO_CRM} {connection}")]


class ZohoHookReader:
    """Zoho signs nothing: beside the secret in the path, a delivery brings the token that its channel was given."""

    def __init__(self, secrets: Sequence[str], tokens: Sequence[str]) -> None:
        self.secrets, self._tokens = secrets, tokens

    async def read(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Return which records may have changed. Raises RefusedDelivery."""
        del headers
        try:
            said = zoho_crm.parse_delivery(body)
        except MalformedHook as error:
            raise RefusedDelivery(400, str(error)) from error
        if not any(zoho_crm.verify(token, said) for token in self._tokens):
            raise RefusedDelivery(401, "the delivery does not bring the token of this connection's channels")
        return Delivery(f"{said.module}.{said.operation}", said.record_ids)


class CapsuleHookReader:
    """Capsule signs nothing: the secret in the path is all there is, so a delivery may only say "look at X"."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self.secrets = secrets

    async def read(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Return which parties may have changed. Raises RefusedDelivery."""
        del headers
        try:
            said = capsule.parse_delivery(body)
        except MalformedHook as error:
            raise RefusedDelivery(400, str(error)) from error
        return Delivery(said.event, tuple(str(each) for each in said.record_ids))


class FreshBooksHookReader:
    """FreshBooks signs with the verifier of the callback; a handshake comes before there is one."""

    def __init__(
        self,
        secrets: Sequence[str],
        connection: str,
        account_id: str,
        callbacks: Callbacks,
        tokens: Tokens | None = None,
    ) -> None:
        """An account that the settings do not name is the one that was picked when it was connected."""
        self.secrets = secrets
        self._connection, self._account_id, self._callbacks, self._tokens = connection, account_id, callbacks, tokens

    async def read(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Return which clients may have changed, or the handshake to answer. Raises RefusedDelivery."""
        try:
            fields = freshbooks.parse_fields(body)
            said = freshbooks.parse_delivery(fields)
        except MalformedHook as error:
            raise RefusedDelivery(400, str(error)) from error
        if said.account_id != await self._account():
            raise RefusedDelivery(401, "the delivery is for another FreshBooks account")
        if said.verifier is not None:
            return Delivery(said.event, (str(said.object_id),), said.verifier.get_secret_value())
        await self._check_signature(fields, headers.get(SIGNATURE_HEADER))
        return Delivery(said.event, (str(said.object_id),))

    async def _account(self) -> str:
        if not self._account_id and self._tokens is not None:
            account = await self._tokens.account(self._connection, "freshbooks")
            self._account_id = (account.account_id if account else None) or ""
        return self._account_id

    async def _check_signature(self, fields: freshbooks.Fields, header: str | None) -> None:
        if _fits(await self._callbacks.trusted(self._connection), fields, header):
            return
        # FreshBooks delivers from the moment it accepts a verifier, and that is before we have saved that it did.
        if _fits(await self._callbacks.waiting(self._connection), fields, header):
            for _ in range(VERIFICATION_CHECKS):
                await asyncio.sleep(VERIFICATION_CHECK_SECONDS)
                if _fits(await self._callbacks.trusted(self._connection), fields, header):
                    return
        raise RefusedDelivery(401, "the signature fits none of this connection's callbacks")


def _fits(verifiers: Sequence[str], fields: freshbooks.Fields, header: str | None) -> bool:
    return any(freshbooks.verify(verifier, fields, header) for verifier in verifiers)
