"""Which FreshBooks client, if any, already stands for a party. Only a single exact hit is linked unasked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class Candidate:
    """A client that a search returned, before it is believed: FreshBooks ignores filters it does not know."""

    client_id: int
    email: str | None
    reference: str | None
    """Our reference found in its note, of whichever party."""
    linked_to: str | None
    """The other record that it is linked to; None if it has no link."""
    visible: bool
    """False if it was deleted in FreshBooks (vis_state 1). Archived ones are visible."""


@dataclass(frozen=True)
class Adopt:
    """This client is the party's: link it instead of creating another."""

    client_id: int
    why: Literal["our-reference", "same-email"]


@dataclass(frozen=True)
class Create:
    """No client stands for the party yet."""


@dataclass(frozen=True)
class Doubt:
    """A person has to choose among these clients. `why` is the reason of the hold."""

    client_ids: tuple[int, ...]
    why: Literal["duplicate-found", "doubtful-match"]


Identity: TypeAlias = Adopt | Create | Doubt


def choose(candidates: Sequence[Candidate], *, email: str | None, reference: str) -> Identity:
    """Return what to do about a party that has no link yet, from every client that might be its own.

    Our reference outweighs everything: only our own request can have put it there. A client that carries it but was
    deleted, or is linked to another record, was changed by a person since: that person's reason has to be heard before
    anything is created. The order of the candidates, and listing one twice, make no difference.
    """
    distinct = sorted({each.client_id: each for each in candidates}.values(), key=lambda each: each.client_id)
    marked = [each for each in distinct if each.reference == reference]
    if marked:
        return _choose_among_marked(marked)
    same = [each for each in distinct if _is_free(each) and _same_email(each.email, email)]
    if len(same) > 1:
        return Doubt(_ids(same), "doubtful-match")
    return Adopt(same[0].client_id, "same-email") if same else Create()


def _choose_among_marked(marked: Sequence[Candidate]) -> Identity:
    living = [each for each in marked if each.visible]
    if len(living) > 1:
        return Doubt(_ids(living), "duplicate-found")
    if not living or living[0].linked_to is not None:
        return Doubt(_ids(marked), "doubtful-match")
    return Adopt(living[0].client_id, "our-reference")


def _is_free(candidate: Candidate) -> bool:
    """Return whether no other record has a claim to this client."""
    return candidate.visible and candidate.linked_to is None and candidate.reference is None


def _same_email(first: str | None, second: str | None) -> bool:
    """Return whether both are the same address to a mail server; two empty ones are not."""
    return bool(first and second and first.strip()) and _comparable(first) == _comparable(second)


def _comparable(email: str | None) -> str:
    return (email or "").strip().casefold()


def _ids(candidates: Sequence[Candidate]) -> tuple[int, ...]:
    return tuple(each.client_id for each in candidates)
