"""The embedded Temporal server: the official CLI's development server, made persistent."""

import asyncio
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeIndexedValueType, SearchAttributeKey
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from runtime.errors import Stop
from runtime.settings import Settings

DYNAMIC_CONFIG = (
    "matching.enableFairness=true",
    "matching.useNewMatcher=true",
    # A rate limit is divided by partitions: with one, ten calls a second are ten, not four times two and a half.
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
)
# The plain SQLite file is a third as fast. With a write-ahead log and `normal`, a crash of the process loses nothing.
PRAGMAS = ("journal_mode=wal", "synchronous=normal")
KINDS = {SearchAttributeIndexedValueType.KEYWORD: "Keyword"}


class NoTemporalCli(Stop):
    """The Temporal CLI that we were told to use is not there."""


async def temporal_cli(settings: Settings) -> str:
    """Return the path of the Temporal CLI: $TEMPORAL_CLI, the one on the path, the pinned one, or a download.

    Raises NoTemporalCli if $TEMPORAL_CLI names no file.
    """
    wanted = os.environ.get("TEMPORAL_CLI")
    if wanted and not Path(wanted).exists():
        raise NoTemporalCli(f"TEMPORAL_CLI is {wanted}, and there is no such file; correct it, or unset it")
    return wanted or _installed_cli() or await _downloaded_cli(settings.data / "temporal-cli")


def _installed_cli() -> str | None:
    beside_python = Path(sys.executable).parent / "temporal"
    return next(
        (found for found in (shutil.which("temporal"), str(beside_python)) if found and Path(found).exists()), None
    )


def server_command(cli: str, settings: Settings, attributes: Sequence[SearchAttributeKey[str]]) -> list[str]:
    """Return the command that starts the server on loopback with its UI, our search attributes and fair queues."""
    codec = f"http://{settings.codec.host}:{settings.codec.port}"
    command = [cli, "server", "start-dev", "--ip", "127.0.0.1", "--log-level", "warn", "--log-format", "json"]
    command += ["--port", str(settings.temporal.port), "--ui-port", str(settings.temporal.ui_port)]
    command += ["--db-filename", str(settings.data / "temporal.db"), "--ui-codec-endpoint", codec]
    for pragma in PRAGMAS:
        command += ["--sqlite-pragma", pragma]
    for value in DYNAMIC_CONFIG:
        command += ["--dynamic-config-value", value]
    for key in attributes:
        command += ["--search-attribute", f"{key.name}={KINDS[key.indexed_value_type]}"]
    return command


def ui_origins(settings: Settings) -> tuple[str, ...]:
    """Return the addresses under which a browser may have opened the Temporal UI."""
    port = settings.temporal.ui_port
    return settings.codec.ui_origins or (f"http://localhost:{port}", f"http://127.0.0.1:{port}")


async def answers(address: str) -> bool:
    """Return whether a Temporal server answers there."""
    try:
        client = await asyncio.wait_for(Client.connect(address), timeout=2)
        await client.workflow_service.get_system_info(GetSystemInfoRequest())
    except (RuntimeError, RPCError, TimeoutError):
        return False
    return True


async def _downloaded_cli(folder: Path) -> str:
    """Let the SDK fetch the CLI into `folder`, for platforms that have no wheel of it."""
    folder.mkdir(parents=True, exist_ok=True)
    async with await WorkflowEnvironment.start_local(download_dest_dir=str(folder)):
        return str(max(folder.iterdir()))
