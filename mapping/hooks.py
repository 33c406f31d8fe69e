"""Functions of an installation's own, in the folder `rules/` beside its mapping file, that give a field its value.

Such a function is pure: it gets one dictionary, what the entry's `from` names, and returns a text, yes/no or None. It
is loaded once, is given a second for each record, and whatever it raises stops that record and no other.
"""

import ctypes
import hashlib
import inspect
import re
import sys
import threading
import types
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mapping.values import CannotTransform, Value

FOLDER = "rules"
SECONDS = 1.0
_GRACE = 0.5
_MOST_LATE = 3
_LARGEST = 200_000
_NAMED = re.compile(r"(?P<module>[A-Za-z_][A-Za-z0-9_]*):(?P<function>[A-Za-z_][A-Za-z0-9_]*)", re.ASCII)
_loaded: dict[tuple[Path, str], types.ModuleType] = {}


class WrongHook(ValueError):
    """A function that cannot be used; the text says which one and why."""


class _TimeIsUp(BaseException):
    """Raised inside a function that ran too long. No `except Exception` of its own catches it."""


@dataclass
class _Run:
    """One call: what came of it."""

    value: Any = None
    error: str = ""
    done: threading.Event = field(default_factory=threading.Event)


@dataclass
class Hook:
    """A function of the installation's own; `digest` is that of its file."""

    name: str
    function: Callable[[Mapping[str, Any]], Any] = field(repr=False)
    digest: str
    late: int = 0

    def value(self, given: Mapping[str, Any]) -> Value:
        """Return what the function says of a record. Raises CannotTransform, which names the function and no value.

        What runs longer than a second is stopped, and the third time bars the function until the next start: a page of
        a sweep has a hundred records. So does, at once, a call that cannot be stopped: it waits outside of Python.
        """
        if self.late >= _MOST_LATE:
            raise CannotTransform(f"{self.name} did not end in time, and is not asked again before the next start")
        run = _Run()
        thread = threading.Thread(target=_call, args=(self.function, deepcopy(dict(given)), run), daemon=True)
        thread.start()
        if not run.done.wait(SECONDS):
            self._stop(thread, run)
        if run.error:
            raise CannotTransform(f"{self.name} {run.error}")
        if run.value is not None and not isinstance(run.value, str | bool | int):
            raise CannotTransform(f"{self.name} returned {type(run.value).__name__}: return a text, yes/no or None")
        found: Value = run.value
        return found

    def _stop(self, thread: threading.Thread, run: _Run) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_TimeIsUp))
        self.late = self.late + 1 if run.done.wait(_GRACE) else _MOST_LATE
        raise CannotTransform(f"{self.name} took longer than {SECONDS:g} s: it must not wait for anything")


def read_hook(name: str, folder: Path) -> Hook:
    """Return the function that a mapping names `module:function`, from `rules/module.py` in its folder.

    Raises WrongHook if there is none, if its file cannot be run, or if it does not take exactly one dictionary.
    """
    match = _NAMED.fullmatch(name)
    if match is None:
        raise WrongHook(f"write module:function; module.py lies in the folder {FOLDER} beside the mapping file")
    path = folder / FOLDER / f"{match['module']}.py"
    module, digest = _module(path, f"{FOLDER}/{match['module']}.py")
    function = getattr(module, match["function"], None)
    if not inspect.isfunction(function) or function.__module__ != module.__name__:
        known = [name for name, each in vars(module).items() if inspect.isfunction(each) and not name.startswith("_")]
        raise WrongHook(
            f"{FOLDER}/{path.name} has no function {match['function']}. It has: {', '.join(known) or 'none'}"
        )
    _require_one_parameter(name, function)
    return Hook(name, function, digest)


def _module(path: Path, shown: str) -> tuple[types.ModuleType, str]:
    """Return a file of functions, run once for all that name it, and its digest."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WrongHook(f"{shown}: {error.strerror}; it lies beside the mapping file") from None
    if len(content) > _LARGEST:
        raise WrongHook(f"{shown}: larger than {_LARGEST:,} bytes")
    digest = hashlib.sha256(content).hexdigest()[:16]
    key = (path.resolve(), digest)
    if key not in _loaded:
        _loaded[key] = _run(content, path, shown, f"ledgerline_rules.{path.stem}_{digest}")
    return _loaded[key], digest


def _run(content: bytes, path: Path, shown: str, name: str) -> types.ModuleType:
    module = sys.modules[name] = types.ModuleType(name)
    module.__file__ = str(path)
    try:
        exec(compile(content, str(path), "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - the operator's own
    except SyntaxError as error:
        raise WrongHook(f"{shown}:{error.lineno or 1}:{error.offset or 1}: no readable Python") from None
    except Exception as error:  # noqa: BLE001 - whatever a stranger's module raises, it cannot be used
        raise WrongHook(f"{shown}:{_line(error, path)}: {type(error).__name__} while it was loaded") from None
    return module


def _line(error: Exception, path: Path) -> int:
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _require_one_parameter(name: str, function: Callable[..., Any]) -> None:
    try:
        inspect.signature(function).bind({})
    except TypeError:
        raise WrongHook(f"{name} must take one dictionary, and nothing else that has no default") from None
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise WrongHook(f"{name} must be a plain function: nothing may wait in it")


def _call(function: Callable[[Mapping[str, Any]], Any], given: Mapping[str, Any], run: _Run) -> None:
    try:
        run.value = function(given)
    except _TimeIsUp:
        run.error = "was stopped"
    except BaseException as error:  # noqa: BLE001 - even SystemExit: a function ends its record, not the worker
        run.error = f"failed with {type(error).__name__}: correct the function, or the record"
    finally:
        run.done.set()
