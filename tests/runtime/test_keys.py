"""The master key: made once, kept from others, exchanged without losing anything."""

import asyncio
import base64
import os
import stat
import sys
from pathlib import Path

import pytest

from runtime.keys import KeyProblem, KeyRing, load_keys

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
FILE = Path("data/ledgerline.key")


def line(name: str, key: bytes) -> str:
    """Return one line of a key file."""
    return f"{name} {base64.b64encode(key).decode()}\n"


def written(content: str | bytes, mode: int = 0o600) -> Path:
    """Write the key file and return its folder."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(content if isinstance(content, bytes) else content.encode())
    FILE.chmod(mode)
    return FILE.parent


def problem(content: str | bytes) -> str:
    """Return what is said about a key file with this content."""
    with pytest.raises(KeyProblem) as said:
        load_keys(written(content))
    return str(said.value)


def test_the_first_start_makes_a_key_that_only_its_owner_can_read() -> None:
    first = load_keys(Path("data"))
    assert stat.S_IMODE(FILE.stat().st_mode) == 0o600
    assert load_keys(Path("data")).open(first.seal(b"Nora", "here"), "here") == b"Nora"
    assert [each.name for each in Path("data").iterdir()] == ["ledgerline.key"]


def test_a_careless_umask_does_not_show_the_key_to_others() -> None:
    before = os.umask(0)
    try:
        load_keys(Path("data"))
    finally:
        os.umask(before)
    assert stat.S_IMODE(FILE.stat().st_mode) == 0o600


async def test_processes_that_start_together_use_the_same_new_key() -> None:
    program = (
        "import sys; from pathlib import Path; from runtime.keys import load_keys; "
        "print('ready', flush=True); sys.stdin.readline(); "
        "print(*(load_keys(Path(f'data{n}')).reference('acme', '7') for n in range(20)))"
    )
    processes = [await _python(program) for _ in range(2)]
    for each in processes:
        assert each.stdout
        assert await each.stdout.readline() == b"ready\n"
    (first, _), (second, _) = await asyncio.gather(*(each.communicate(b"go\n") for each in processes))
    assert first == second
    assert len(set(first.split())) == 20


async def _python(program: str) -> asyncio.subprocess.Process:
    root = str(Path(__file__).parents[2])
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": root},
    )


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_may_read_is_refused_with_the_cure(mode: int) -> None:
    folder = written(line("k1", OLD), mode)
    with pytest.raises(KeyProblem, match=r"can be read by other users; run: chmod 600 data/ledgerline\.key"):
        load_keys(folder)


def test_the_key_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGERLINE_KEY", base64.b64encode(OLD).decode() + "\n")
    keys = load_keys(Path("data"))
    assert keys.reference("acme", "7") == KeyRing({"main": OLD}).reference("acme", "7")
    assert not FILE.exists()


@pytest.mark.parametrize("value", ["", "short", base64.b64encode(OLD[:31]).decode(), "ü" * 44])
def test_a_nonsense_key_in_the_environment_is_refused_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("LEDGERLINE_KEY", value)
    with pytest.raises(KeyProblem, match="the environment variable LEDGERLINE_KEY") as said:
        load_keys(Path("data"))
    assert not value or value not in str(said.value)


def test_after_an_exchange_the_old_key_still_opens_and_the_new_key_seals() -> None:
    before = load_keys(written(line("k1", OLD)))
    sealed = before.seal(b"Nora", "here")
    after = load_keys(written(line("k2", NEW) + line("k1", OLD)))
    assert after.open(sealed, "here") == b"Nora"
    assert after.active == "k2"
    with pytest.raises(
        KeyProblem, match="sealed with the key 'k2', which this installation does not have; put it back"
    ):
        before.open(after.seal(b"Nora", "here"), "here")


def test_an_exchange_keeps_references_and_fingerprints() -> None:
    """F4, F7: other systems carry them; a changed reference would be a second client."""
    before = load_keys(written(line("k1", OLD)))
    after = load_keys(written("# exchanged in March\n\n" + line("k2", NEW) + line("k1", OLD)))
    assert after.reference("acme", "clients", "7") == before.reference("acme", "clients", "7")
    assert after.fingerprint(b"values") == before.fingerprint(b"values")


def test_an_exchange_keeps_the_old_webhook_address_working_beside_the_new_one() -> None:
    before, after = KeyRing({"k1": OLD}), KeyRing({"k2": NEW, "k1": OLD})
    assert after.path_secrets("capsule acme")[1:] == before.path_secrets("capsule acme")
    assert after.path_secrets("capsule acme") != after.path_secrets("capsule globex")


def test_a_reference_says_nothing_and_differs_where_its_parts_differ() -> None:
    keys = KeyRing({"k1": OLD})
    assert len(keys.reference("acme", "7")) == 16
    assert keys.reference("acme", "7") != keys.reference("acm", "e7")
    assert keys.reference("acme", "7") != KeyRing({"k1": NEW}).reference("acme", "7")


def test_the_same_text_sealed_twice_looks_different() -> None:
    keys = KeyRing({"k1": OLD})
    assert keys.seal(b"Nora", "here") != keys.seal(b"Nora", "here")


def test_sealed_bytes_open_only_where_they_belong() -> None:
    keys = KeyRing({"k1": OLD})
    with pytest.raises(KeyProblem, match="altered"):
        keys.open(keys.seal(b"Nora", "links/base/acme/7"), "links/base/acme/8")


def test_every_altered_or_missing_byte_is_noticed() -> None:
    keys = KeyRing({"k1": OLD})
    sealed = keys.seal(b"Nora", "here")
    for position in range(len(sealed)):
        altered = bytearray(sealed)
        altered[position] ^= 1
        for damaged in (bytes(altered), sealed[:position]):
            with pytest.raises(KeyProblem):
                keys.open(damaged, "here")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "holds no key; restore it from your backup"),
        ("# only words\n", "holds no key; restore it from your backup"),
        (base64.b64encode(OLD), "line 1: write a short name, a space and the key in base64"),
        ("k1 not-base64!\n", "line 1: the key is not base64"),
        (b"k1 \xff\xfe\xff\n", "line 1: the key is not base64"),
        ("# ours\n" + line("k1", OLD[:16]), "line 2: the key must be 32 bytes in base64 (openssl rand -base64 32)"),
        (line("k1", NEW) + line("k1", OLD), "line 2: another key has this name already"),
        (line("k" * 300, OLD), "line 1: write a short name"),
    ],
)
def test_a_damaged_key_file_is_refused_with_its_line_and_without_the_key(content: str | bytes, said: str) -> None:
    text = problem(content)
    assert f"data/ledgerline.key{', ' if said.startswith('line') else ': '}{said}" in text
    for key in (OLD, NEW, OLD[:16]):
        assert base64.b64encode(key).decode() not in text


def test_a_key_file_that_cannot_be_read_or_made_is_named() -> None:
    FILE.mkdir(parents=True)
    FILE.chmod(0o700)
    with pytest.raises(KeyProblem, match=r"the key file data/ledgerline\.key cannot be read or made: Is a directory"):
        load_keys(Path("data"))
    Path("notes").write_text("")
    with pytest.raises(KeyProblem, match=r"the key file notes/ledgerline\.key cannot be read or made"):
        load_keys(Path("notes"))
