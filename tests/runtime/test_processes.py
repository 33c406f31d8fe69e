"""Child processes: restarted when they die, stopped in order, and never left behind."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from runtime import processes
from runtime.processes import CannotStart, Child, Supervisor

PATIENCE = 10.0
FOREVER = "exec sleep 600"


@pytest.fixture
async def supervisor(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Supervisor]:
    monkeypatch.setattr(processes, "FIRST_PAUSE", 0.02)
    running = Supervisor(Path("logs"))
    yield running
    await running.stop_all()


def shell(name: str, script: str, **options: str) -> Child:
    """Return a child that runs a shell script; its environment is `options`."""
    return Child(name, ["/bin/sh", "-c", script], environment=options)


def runs(pid: int) -> bool:
    """Return whether a process is there and not just waiting to be forgotten."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


async def running(supervisor: Supervisor, name: str) -> int:
    """Return the process id of a child that should be running."""
    await until(lambda: supervisor.pid(name) is not None)
    pid = supervisor.pid(name)
    assert pid is not None
    return pid


async def test_a_worker_that_dies_is_started_again(supervisor: Supervisor) -> None:
    """S49"""
    await supervisor.start(shell("worker", FOREVER))
    first = await running(supervisor, "worker")
    os.kill(first, signal.SIGKILL)
    await until(lambda: supervisor.pid("worker") not in (None, first))
    assert runs(await running(supervisor, "worker"))
    assert supervisor.restarts == {"worker": 1}


async def test_a_worker_that_keeps_dying_is_given_up_neither_at_once_nor_ever(supervisor: Supervisor) -> None:
    await supervisor.start(shell("worker", "echo started >> starts; exit 3"))
    await until(lambda: Path("starts").exists() and len(Path("starts").read_text().split()) >= 4)
    began, before = time.monotonic(), supervisor.restarts["worker"]
    await until(lambda: supervisor.restarts["worker"] > before + 1)
    assert time.monotonic() - began > 0.1  # the pauses grow: 0.04 s, 0.08 s, 0.16 s …


async def test_a_worker_whose_program_is_missing_for_a_moment_is_started_again(supervisor: Supervisor) -> None:
    """An upgrade replaces programs while they run."""
    program = Path("program").resolve()
    program.symlink_to("/bin/sleep")
    await supervisor.start(Child("worker", [str(program), "600"]))
    first = await running(supervisor, "worker")
    program.rename("program.old")
    os.kill(first, signal.SIGKILL)
    await until(lambda: supervisor.restarts.get("worker", 0) >= 2)
    assert supervisor.pid("worker") is None
    Path("program.old").rename(program)
    assert await running(supervisor, "worker") != first


async def test_a_stopped_child_ends_and_stays_so(supervisor: Supervisor) -> None:
    await supervisor.start(shell("worker", FOREVER))
    pid = await running(supervisor, "worker")
    await supervisor.stop("worker")
    assert not runs(pid)
    await asyncio.sleep(0.2)
    assert supervisor.pid("worker") is None
    assert supervisor.restarts == {}


async def test_stopping_what_does_not_run_does_nothing(supervisor: Supervisor) -> None:
    await supervisor.stop("worker")
    await supervisor.stop_all()


async def test_a_child_is_asked_to_stop_before_it_is_made_to(supervisor: Supervisor) -> None:
    script = "trap 'echo finished; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    await supervisor.start(shell("worker", script))
    await until(lambda: "up" in supervisor.log_file("worker").read_text())
    await supervisor.stop("worker")
    assert supervisor.log_file("worker").read_text().split() == ["up", "finished"]


async def test_a_child_that_ignores_the_request_is_killed_with_its_own_children(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STOP_GRACE", 0.3)
    await supervisor.start(shell("worker", "trap '' TERM; sleep 600 & echo $!; while :; do sleep 0.05; done"))
    pid = await running(supervisor, "worker")
    await until(lambda: supervisor.log_file("worker").read_text().strip().isdigit())
    grandchild = int(supervisor.log_file("worker").read_text())
    assert runs(grandchild)
    await supervisor.stop("worker")
    await until(lambda: not runs(pid) and not runs(grandchild))


async def test_children_are_stopped_in_reverse_order(supervisor: Supervisor) -> None:
    """The worker must not outlive the server whose work it does."""
    script = "trap 'echo $NAME >> ../stopped; exit 0' TERM; echo up; while :; do sleep 0.02; done"
    for name in ("temporal", "worker", "receiver"):
        await supervisor.start(shell(name, f"cd logs; {script}", NAME=name))
        log = supervisor.log_file(name)
        await until(lambda log=log: "up" in log.read_text())  # type: ignore[misc]
    await supervisor.stop_all()
    assert Path("stopped").read_text().split() == ["receiver", "worker", "temporal"]


PARENT = """
import asyncio, sys
from pathlib import Path
from runtime.processes import Child, Supervisor

async def main():
    supervisor = Supervisor(Path("logs"))
    await supervisor.start(Child("worker", ["/bin/sleep", "600"]))
    await supervisor.start(Child("receiver", ["/bin/sleep", "600"]))
    print(supervisor.pid("worker"), supervisor.pid("receiver"), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent died")
async def test_nothing_survives_a_parent_that_was_killed() -> None:
    root = str(Path(__file__).parents[2])
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": root}
    )
    assert parent.stdout
    children = [int(pid) for pid in (await parent.stdout.readline()).split()]
    assert len(children) == 2
    assert all(runs(pid) for pid in children)
    parent.kill()
    await parent.wait()
    await until(lambda: not any(runs(pid) for pid in children))


async def test_a_start_is_over_once_the_child_serves(supervisor: Supervisor) -> None:
    async def serves() -> bool:
        return Path("serving").exists()

    script = "sleep 0.2; touch serving; exec sleep 600"
    await supervisor.start(Child("worker", ["/bin/sh", "-c", script], ready=serves))
    assert Path("serving").exists()


async def never() -> bool:
    """Return False: a child that never serves."""
    return False


async def test_a_child_that_ends_at_once_is_reported_with_the_end_of_its_log(supervisor: Supervisor) -> None:
    script = "for line in 1 2 3 4 5 6 7; do echo line $line; done; echo the port is taken >&2; exit 4"
    with pytest.raises(CannotStart) as said:
        await supervisor.start(Child("receiver", ["/bin/sh", "-c", script], ready=never))
    first, *tail = str(said.value).splitlines()
    assert first == "receiver ended at once with exit code 4; its log is logs/receiver.log"
    assert tail == ["  line 4", "  line 5", "  line 6", "  line 7", "  the port is taken"]


async def test_a_child_that_does_not_get_ready_is_reported_and_can_be_stopped(supervisor: Supervisor) -> None:
    child = Child("receiver", ["/bin/sh", "-c", FOREVER], ready=never, ready_within=0.2)
    with pytest.raises(CannotStart, match=r"^receiver is not ready after 0 s; its log is logs/receiver\.log$"):
        await supervisor.start(child)
    pid = await running(supervisor, "receiver")
    await supervisor.stop_all()
    assert not runs(pid)


async def test_a_program_that_is_not_there_is_named(supervisor: Supervisor) -> None:
    with pytest.raises(CannotStart, match=r"^temporal cannot be started: .*'/nowhere/temporal'"):
        await supervisor.start(Child("temporal", ["/nowhere/temporal"]))


async def test_a_child_knows_our_environment_and_its_own(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "kept")
    await supervisor.start(shell("worker", f"echo $OURS $OWN; {FOREVER}", OWN="added"))
    await until(lambda: supervisor.log_file("worker").read_text() == "kept added\n")


async def test_a_log_that_has_grown_large_is_put_aside(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LOG_BYTES", 100)
    Path("logs").mkdir()
    supervisor.log_file("worker").write_text("old\n" * 100)
    await supervisor.start(shell("worker", f"echo new; {FOREVER}"))
    await until(lambda: supervisor.log_file("worker").read_text() == "new\n")
    assert Path("logs/worker.log.1").read_text().startswith("old\n")
