"""Notices that the settings file has changed: connections come and go without a restart."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import structlog

from runtime.load import WrongSettings, load_settings, settings_files
from runtime.settings import Connection, Settings

log = structlog.get_logger()

LOOK_EVERY = 2.0


class SettingsWatch:
    """The settings of this process, and what becomes of them.

    Only connections are taken over while a process runs. Other settings wait for its next start, which is logged.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings, self._seen = settings, _digest(settings)

    async def changes(self) -> AsyncIterator[Settings]:
        """Give the settings anew whenever connections have changed. A file that is wrong is logged and left alone."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            changed = await asyncio.to_thread(self.look)
            if changed is not None:
                yield changed

    def look(self) -> Settings | None:
        """Return the settings if connections have changed since the last look, else None."""
        seen = _digest(self._settings)
        if seen == self._seen:
            return None
        self._seen = seen
        try:
            found = load_settings()
        except WrongSettings as error:
            log.error("the changed settings cannot be used; those from before stay in force", mistakes=str(error))  # noqa: TRY400
            return None
        _name_what_waits(self._settings, found)
        if found.connections == self._settings.connections:
            return None
        self._settings = self._settings.model_copy(update={"connections": found.connections})
        return self._settings


def unchanged(before: Settings, now: Settings) -> set[str]:
    """Return the connections that are the same in both."""
    same: dict[str, Connection] = before.connections
    return {name for name, connection in now.connections.items() if same.get(name) == connection}


def _name_what_waits(before: Settings, now: Settings) -> None:
    names = [name for name in type(now).model_fields if name != "connections"]
    changed = [name for name in names if getattr(before, name) != getattr(now, name)]
    if changed:
        log.warning("these settings are taken over when this process starts again", settings=changed)


def _digest(settings: Settings) -> str:
    """Return what is in the files that settings come from; a file that is not there is as good as an empty one."""
    found = hashlib.sha256()
    for path in settings_files(settings):
        found.update(_content(path))
    return found.hexdigest()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes() + b"\0"
    except OSError:
        return b""
