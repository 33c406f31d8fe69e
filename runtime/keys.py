"""The keys of an installation: one master key (or several, while they are exchanged), everything else derived.

The file holds a line for each key, `name base64`, the newest first. New data is sealed with the first key;
every key in the file opens what it once sealed. The last, oldest key also makes the references that other systems
carry for us, which must never change: add keys at the top, and keep the last one.
"""

import base64
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from runtime.errors import Stop

KEY_BYTES = 32
NONCE_BYTES = 12
MAX_NAME = 40
FILE_NAME = "ledgerline.key"
VARIABLE = "LEDGERLINE_KEY"


class KeyProblem(Stop):
    """The master key is missing, malformed or not the one that sealed the data. The text says what to do."""


class KeyRing:
    """Seals, opens and derives. Sealed bytes are: length of the key's name, name, nonce, ciphertext with tag."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)
        self.active = next(iter(self._keys))
        self._ciphers = {name: AESGCM(_derive(key, "seal")) for name, key in self._keys.items()}
        self._audit_keys = {name: _derive(key, "audit") for name, key in self._keys.items()}
        oldest = list(self._keys.values())[-1]
        self._reference_key = _derive(oldest, "reference")
        self._fingerprint_key = _derive(oldest, "fingerprint")

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypt with AES-256-GCM. `context` says where the bytes belong: they open nowhere else."""
        name = self.active.encode()
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self.active].encrypt(nonce, plain, context.encode())
        return bytes([len(name)]) + name + nonce + sealed

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt what `seal` made. Raises KeyProblem if no key fits or the bytes were moved or altered."""
        size = sealed[0] if sealed else 0
        name, rest = sealed[1 : 1 + size].decode(errors="replace"), sealed[1 + size :]
        if name not in self._ciphers:
            raise KeyProblem(f"sealed with the key {name!r}, which this installation does not have; put it back")
        try:
            return self._ciphers[name].decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError) as error:  # ValueError: cut off within the nonce
            raise KeyProblem("sealed data was altered, or the key of that name is another one") from error

    def reference(self, *parts: str) -> str:
        """Return the 16 hexadecimal characters under which another system carries a record of ours.

        Stable for ever for the same parts, tells nothing about them, and nobody else can make one.
        """
        return hmac.new(self._reference_key, "\0".join(parts).encode(), hashlib.sha256).hexdigest()[:16]

    def fingerprint(self, content: bytes) -> str:
        """Return 32 hexadecimal characters by which equal contents are known, and nobody without the key knows more."""
        return hashlib.blake2b(content, key=self._fingerprint_key, digest_size=16).hexdigest()

    def audit_hash(self, content: bytes, key_name: str) -> bytes:
        """Return the 32 bytes (HMAC-SHA256) by which the audit log vouches for a content under one of the keys.

        Raises KeyProblem if the ring has no key of that name.
        """
        if key_name not in self._audit_keys:
            raise KeyProblem(f"the audit log was kept with the key {key_name!r}, which is not here; put it back")
        return hmac.digest(self._audit_keys[key_name], content, "sha256")

    def path_secrets(self, label: str) -> list[str]:
        """Return the secrets for the path of an unsigned webhook, the current one first: one for each key."""
        return [_derive(key, f"path {label}").hex() for key in self._keys.values()]


def load_keys(folder: Path) -> KeyRing:
    """Return the key ring from $LEDGERLINE_KEY, else from the key file, which is made if there is none (mode 0600).

    Raises KeyProblem.
    """
    if VARIABLE in os.environ:
        return _parse(f"main {os.environ[VARIABLE]}", f"the environment variable {VARIABLE}")
    path = folder / FILE_NAME
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyProblem(f"{path} can be read by other users; run: chmod 600 {path}")
        return _parse(path.read_text(errors="replace"), str(path))
    except OSError as error:
        raise KeyProblem(f"the key file {path} cannot be read or made: {error.strerror}") from error


def _make(path: Path) -> None:
    """Write a new key so that two processes that start together end up with the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = f"k1 {base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n"
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # fails if the other process was first
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _parse(text: str, source: str) -> KeyRing:
    keys: dict[str, bytes] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        # The text of an error quotes nothing of the line: a key without a name stands where the name should.
        place = f"{source}, line {number}"
        name, _, encoded = line.strip().partition(" ")
        if not encoded or len(name) > MAX_NAME:
            raise KeyProblem(f"{place}: write a short name, a space and the key in base64: k1 …")
        if name in keys:
            raise KeyProblem(f"{place}: another key has this name already; give the new key a name of its own")
        keys[name] = _decoded(encoded, place)
    if not keys:
        raise KeyProblem(
            f"{source}: holds no key; restore it from your backup (openssl rand -base64 32 makes a new one)"
        )
    return KeyRing(keys)


def _decoded(encoded: str, place: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise KeyProblem(f"{place}: the key is not base64") from None
    if len(key) != KEY_BYTES:
        raise KeyProblem(f"{place}: the key must be {KEY_BYTES} bytes in base64 (openssl rand -base64 32)")
    return key


def _derive(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"ledgerline {purpose}".encode()).derive(key)
