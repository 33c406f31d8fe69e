"""Places where a test can end this process the hard way, as a power cut would: between two steps of a protocol.

`LEDGERLINE_CRASH_POINTS=after-mark=0.1,after-post=1` ends the process at one in ten passes of the first point and at
every pass of the second; `seed=7` among them makes chance repeatable. In production the variable is not set, and a
point costs one look at an empty dictionary.
"""

import os
import random
from collections.abc import Mapping

VARIABLE = "LEDGERLINE_CRASH_POINTS"
EXIT_CODE = 137  # what a shell says of a process that was killed
POINTS = frozenset(
    {
        "after-mark",  # a create is marked as being sent, and nothing has been sent
        "after-post",  # the other system has answered a create, and we have not written that down
        "before-put",  # an update is about to be sent
        "after-put",  # the other system has answered an update, and we have not written that down
        "after-confirm",  # a write is confirmed in our store, and Temporal does not know yet
    }
)


class WrongCrashPoints(ValueError):
    """The variable does not say which points and how likely. The text says what is wrong and what is allowed."""


def crash_point(name: str) -> None:
    """End this process without any warning, if the environment says so."""
    if _chances and _random.random() < _chances.get(name, 0.0):
        os.write(2, f"crash point {name}: this process ends here\n".encode())
        os._exit(EXIT_CODE)


def read_points(text: str) -> tuple[Mapping[str, float], int | None]:
    """Return how likely each point ends the process, and the seed. Raises WrongCrashPoints."""
    chances: dict[str, float] = {}
    seed: int | None = None
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        try:
            if name == "seed":
                seed = int(value)
            else:
                chances[name] = float(value)
        except ValueError as error:
            raise WrongCrashPoints(f"{VARIABLE}: {part}: write a number behind the =") from error
        if name not in POINTS | {"seed"} or not 0 <= chances.get(name, 0) <= 1:
            allowed = ", ".join(sorted(POINTS))
            raise WrongCrashPoints(f"{VARIABLE}: {part}: allowed are {allowed}, each from 0 to 1, and seed")
    return chances, seed


_chances, _seed = read_points(os.environ.get(VARIABLE, ""))
_random = random.Random(_seed)  # noqa: S311 - chance that can be repeated is the point
