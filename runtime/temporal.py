"""Connecting to Temporal: the standard profile settings decide where; we decide how payloads are sealed."""

import asyncio
import time
from datetime import timedelta

from temporalio.client import Client
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError

from runtime.codec import data_converter
from runtime.errors import Stop
from runtime.keys import load_keys
from runtime.settings import Settings

RETRY_EVERY = 0.5


class TemporalUnreachable(Stop):
    """No Temporal server answers. The text says where we looked and what to do."""


def target(settings: Settings) -> tuple[str, bool]:
    """Return the server's address, and whether it comes from the standard TEMPORAL_… profile settings.

    If it does not, the address is that of the embedded server. Raises TemporalUnreachable if they cannot be read.
    Source: https://docs.temporal.io/develop/environment-configuration
    """
    address = _profile().get("target_host")
    return (address, True) if address else (f"127.0.0.1:{settings.temporal.port}", False)


async def connect(settings: Settings, *, patience: timedelta = timedelta(0), metrics_port: int | None = None) -> Client:
    """Return a client for this process; one is enough.

    `patience` is how long to wait for a server that is still starting. With `metrics_port` the SDK serves Prometheus
    metrics there. Raises TemporalUnreachable, or KeyProblem if the installation's key cannot be read.
    """
    address, _ = target(settings)
    config = _profile()
    config["target_host"] = address
    converter = data_converter(load_keys(settings.data))
    runtime = _runtime(settings, metrics_port)
    deadline = time.monotonic() + patience.total_seconds()
    while True:
        try:
            return await Client.connect(**config, data_converter=converter, runtime=runtime)
        except (RuntimeError, RPCError) as error:
            if time.monotonic() >= deadline:
                raise TemporalUnreachable(
                    f"no Temporal server answers at {address}; start one with `ledgerline up`, "
                    "or name yours with TEMPORAL_ADDRESS or TEMPORAL_PROFILE"
                ) from error
        await asyncio.sleep(RETRY_EVERY)


async def connect_lazily(settings: Settings) -> Client:
    """Return a client that connects when it is first used: for processes that must start without Temporal."""
    address, _ = target(settings)
    config = _profile()
    config["target_host"] = address
    return await Client.connect(**config, data_converter=data_converter(load_keys(settings.data)), lazy=True)


def _profile() -> ClientConnectConfig:
    try:
        return ClientConfig.load_client_connect_config()
    except RuntimeError as error:
        reason = (str(error).splitlines() or ["unreadable"])[0]
        raise TemporalUnreachable(f"the TEMPORAL_… profile settings cannot be used: {reason}") from error


def _runtime(settings: Settings, metrics_port: int | None) -> Runtime | None:
    if metrics_port is None:
        return None
    address = f"{settings.metrics.host}:{metrics_port}"
    return Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=address, durations_as_seconds=True)))
