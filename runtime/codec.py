"""What travels through Temporal is encrypted: its server, its database and its backups see no customer's data."""

import dataclasses
from collections.abc import Sequence

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec

from runtime.keys import KeyRing

ENCODING = b"binary/ledgerline-sealed"
CONTEXT = "temporal payload"


class SealingCodec(PayloadCodec):
    """Seals every payload with the active key. Payloads that were never sealed pass through."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return sealed copies."""
        return [self._seal(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return opened copies. Raises KeyProblem if a payload was altered or its key is gone."""
        return [self._open(payload) for payload in payloads]

    def _seal(self, payload: Payload) -> Payload:
        data = self._keys.seal(payload.SerializeToString(), CONTEXT)
        return Payload(metadata={"encoding": ENCODING}, data=data)

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        return Payload.FromString(self._keys.open(payload.data, CONTEXT))


def data_converter(keys: KeyRing) -> DataConverter:
    """Return the converter that every client, worker and replayer of one installation shares."""
    return dataclasses.replace(
        pydantic_data_converter,
        payload_codec=SealingCodec(keys),
        # Without it the texts of errors would stand in clear in the history.
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
