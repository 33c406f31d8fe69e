"""FreshBooks callbacks as state to keep up: what should be registered, and registering what is missing."""

from temporalio import activity

from activities.errors import temporal_errors
from activities.models import ConnectionName
from activities.sweep_models import Callback, HookList, NewHook
from connectors.errors import Forbidden, Refused
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.models import Callback as RegisteredCallback
from store.store import Store

MOST_PAGES = 20  # nobody has hundreds of callbacks; a list that never ends is a fault


class FreshBooksHookActivities:
    """The callbacks of one FreshBooks account, all of them to `target_url`; None if providers cannot reach us."""

    def __init__(self, freshbooks: FreshBooksApi, target_url: str | None, store: Store) -> None:
        self._freshbooks, self._target_url, self._store = freshbooks, target_url, store

    @activity.defn
    async def list_callbacks(self, asked: ConnectionName) -> HookList:
        """Return the events whose callbacks lead to us, and the callbacks that wait for their handshake. Only reads."""
        del asked
        with temporal_errors():
            try:
                callbacks = await self._all_callbacks()
            except Forbidden:
                return HookList(allowed=False)
            ours = [each for each in callbacks if each.uri == self._target_url]
            return HookList(
                events=[each.event for each in ours if each.event],
                unverified=[each.id for each in ours if not each.verified],
            )

    async def _all_callbacks(self) -> list[RegisteredCallback]:
        callbacks: list[RegisteredCallback] = []
        for page in range(1, MOST_PAGES + 1):
            listed = await self._freshbooks.callbacks(page=page)
            callbacks.extend(listed.items)
            if not listed.has_more:
                break
        return callbacks

    @activity.defn
    async def create_callback(self, hook: NewHook) -> None:
        """Register one callback; FreshBooks sends its handshake to the receiver."""
        if self._target_url is None:
            return
        with temporal_errors():
            await self._freshbooks.create_callback(hook.event, self._target_url)

    @activity.defn
    async def verify_callback(self, callback: Callback) -> bool:
        """Answer the handshake of one callback. False if there is none to answer. Safe to repeat."""
        callbacks, callback_id = self._store.callbacks, str(callback.callback_id)
        verifier = await callbacks.offered(callback.connection, callback_id)
        if verifier is None:
            return False
        with temporal_errors():
            try:
                answered = await self._freshbooks.verify_callback(callback.callback_id, verifier)
            except Refused:  # not our callback, or not its verifier: somebody else sent that handshake
                await callbacks.refuse(callback.connection, callback_id)
                return False
        if not answered.verified:
            return False
        await callbacks.trust(callback.connection, callback_id, verifier)
        return True

    @activity.defn
    async def resend_verification(self, callback: Callback) -> None:
        """Ask for the handshake again. Safe to repeat: the latest one counts."""
        with temporal_errors():
            await self._freshbooks.resend_verification(callback.callback_id)
