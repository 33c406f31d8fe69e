"""Databases for tests: a PostgreSQL server of our own, and a fresh store on it and on SQLite for every test."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from runtime.keys import KeyRing
from store.store import Store

TEST_KEYS = KeyRing({"k1": bytes(range(32))})
SQLITE_FILE = "ledgerline.db"
START_SECONDS = 30.0
STOP_SECONDS = 20.0
# A database of its own for every test is three hundred files made and removed: half the time, on a disk.
MEMORY, LEAST_MEMORY = Path("/dev/shm"), 1_000_000_000


class NoPostgres(Exception):
    """No PostgreSQL is installed here, or none that can be started."""


class Postgres:
    """A server in a temporary folder, reached through a socket there.

    Committed means in the hands of the operating system: what outlives a killed process is tested, no power cut is.
    """

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._user = _server_user()
        self._folder = Path(tempfile.mkdtemp(prefix="ledgerline-postgres-", dir=_in_memory()))
        if self._user:
            shutil.chown(self._folder, self._user)
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the cluster and return once the server answers. Raises NoPostgres with the end of its log."""
        try:
            self._run_initdb()
        except OSError as error:
            raise NoPostgres(f"PostgreSQL cannot be started: {error}") from error
        self.resume()

    def resume(self) -> None:
        """Serve what is in the folder and return once the server answers. Raises NoPostgres."""
        try:
            with self._log.open("ab") as log:
                command = [str(self._programs / "postgres"), "-D", str(self._data), "-k", str(self._folder)]
                self._server = subprocess.Popen(
                    [*command, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off"],
                    user=self._user,
                    cwd=self._folder,
                    stdout=log,
                    stderr=log,
                )
            self._wait_until_it_answers(self._server)
        except OSError as error:
            raise NoPostgres(f"PostgreSQL cannot be started: {error}") from error

    def kill(self) -> None:
        """End the server as a crash does: open transactions are lost. `resume` serves what was committed."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)  # a SIGKILL would leave its children
            self._server.wait(STOP_SECONDS)

    def stop(self) -> None:
        """End the server and remove its folder."""
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            try:
                self._server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._server.send_signal(signal.SIGQUIT)  # its immediate one; a SIGKILL would leave its children
                self._server.wait(STOP_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)

    def new_database(self, copied: str = "template0") -> str:
        """Create a database, empty unless it is a copy of another, and return its address."""
        name = f"t_{uuid.uuid4().hex}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{copied}"')
        return f"postgresql://postgres@/{name}?host={self._folder}"

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._execute(f'DROP DATABASE "{make_url(url).database}" WITH (FORCE)')

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "server.log"

    def _run_initdb(self) -> None:
        command = [str(self._programs / "initdb"), "-D", str(self._data), "-U", "postgres", "-A", "trust"]
        made = subprocess.run(
            [*command, "-E", "UTF8", "--no-locale", "--no-sync"],
            user=self._user,
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise NoPostgres(f"initdb failed: {made.stderr.strip()}")

    def _wait_until_it_answers(self, server: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and server.poll() is None:
            try:
                self._execute("SELECT 1")
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise NoPostgres(f"PostgreSQL did not come up: {self._log.read_text(errors='replace')[-1000:]}")

    def _execute(self, statement: str) -> None:
        address = f"host={self._folder} user=postgres dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL server. Without one these tests are skipped, or fail if they must not be."""
    server: Postgres | None = None
    try:
        server = Postgres(postgres_programs())
        server.start()
        yield server
    except NoPostgres as problem:
        if os.environ.get("LEDGERLINE_REQUIRE_POSTGRES"):
            pytest.fail(str(problem))
        pytest.skip(str(problem))
    finally:
        if server is not None:
            server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database, once of each kind: empty, unless the test asks for a store, which has its tables."""
    has_tables = "store" in request.fixturenames
    if request.param == "sqlite":
        if has_tables:
            shutil.copyfile(request.getfixturevalue("sqlite_tables"), tmp_path / SQLITE_FILE)
        yield sqlite_url(tmp_path)
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.new_database(request.getfixturevalue("postgres_tables")) if has_tables else server.new_database()
    yield url
    server.drop(url)


@pytest.fixture(scope="session")
async def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with empty tables, to be copied: making them anew takes longer than most tests."""
    folder = tmp_path_factory.mktemp("tables")
    made = Store(sqlite_url(folder), TEST_KEYS)
    await made.database.migrate()
    await made.close()
    return folder / SQLITE_FILE


@pytest.fixture(scope="session")
async def postgres_tables(postgres: Postgres) -> str:
    """The name of a PostgreSQL database with empty tables, to be copied."""
    url = postgres.new_database()
    made = Store(url, TEST_KEYS)
    await made.database.migrate()
    await made.close()
    return str(make_url(url).database)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """A store with its tables, once on each kind of database."""
    opened = Store(database_url, TEST_KEYS)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_store(sqlite_tables: Path, tmp_path: Path) -> AsyncIterator[Store]:
    """A store with its tables on SQLite, for tests to which the database does not matter."""
    shutil.copyfile(sqlite_tables, tmp_path / SQLITE_FILE)
    opened = Store(sqlite_url(tmp_path), TEST_KEYS)
    yield opened
    await opened.close()


def sqlite_url(folder: Path) -> str:
    """Return the address of a SQLite file in a folder."""
    return f"sqlite:///{folder / SQLITE_FILE}"


def postgres_programs() -> Path:
    """Return the folder of initdb and postgres. Raises NoPostgres."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(installed, key=lambda folder: folder.parent.name.zfill(4), reverse=True)
    complete = [each for each in folders if (each / "initdb").exists() and (each / "postgres").exists()]
    if not complete:
        raise NoPostgres("no PostgreSQL is installed: neither initdb on the path nor /usr/lib/postgresql/*/bin")
    return complete[0]


def _in_memory() -> Path | None:
    """Return a folder in memory, None if there is none with room: a container often has 64 MB there."""
    usable = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > LEAST_MEMORY
    return MEMORY if usable else None


def _server_user() -> str | None:
    """Return whom to run the server as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise NoPostgres("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`")
