"""What is known of both sides before the first item of a plan is made: who is linked, and who may be the same.

A client that two parties have the same claim to belongs to neither of them unasked; that shows only once all parties
were seen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from activities.plan_models import StagedClient, StagedParty
from mapping.faces import Faces
from mapping.matching import SURE, Doubtful, Exact, Match, Nobody, Same, Verdict, face_of, judge

MOST_CANDIDATES = 5
_MOST_KEPT = 8  # some of them may turn out to be somebody else's


@dataclass(frozen=True)
class _Hit:
    """An exact key, kept small: there is one for nearly every party of a first plan."""

    client_id: int
    why: Exact


class Survey:
    """Both sides of one plan. All clients are added before the first party.

    `reference_of` gives the reference that the client of a party would carry. Without `remarks` nobody asks whom a
    party resembles in vain, and clients that are linked need not be recognised: that saves a kilobyte for each.
    """

    def __init__(self, reference_of: Callable[[int], str], *, remarks: bool = True) -> None:
        self.owners: dict[int, int] = {}
        """The party that each linked client is linked to."""
        self._reference_of, self._remarks = reference_of, remarks
        self._faces = Faces()
        self._marked: dict[str, tuple[int, ...]] = {}
        self._references: dict[int, str] = {}
        self._deleted: dict[str, int] = {}
        self._hits: dict[int, _Hit] = {}
        self._doubts: dict[int, tuple[Match, ...]] = {}
        self._alike: dict[int, Match] = {}
        self._claims: dict[int, tuple[int, ...]] = {}

    def add_client(self, client: StagedClient, owner: int | None) -> None:
        """Take in a client, and the party that it is linked to."""
        client_id = client.side.client_id
        if owner is not None:
            self.owners[client_id] = owner
        if client.side.reference is not None:
            self._marked[client.side.reference] = (*self._marked.get(client.side.reference, ()), client_id)
            self._references[client_id] = client.side.reference
        if owner is not None and not self._remarks:
            return
        face = face_of(client.side.values, client.other_emails)
        if client.side.visible:
            self._faces.add(client_id, face)
        elif face.email:
            self._deleted[face.email] = client_id

    def add_party(self, party_id: int, party: StagedParty) -> None:
        """Take in a party that has no link."""
        marked = self.marked(party_id, party)
        if marked:
            for client_id in marked:
                self._claim(client_id, party_id)
            return
        face = face_of(party.side.values, party.other_emails, is_person=not party.side.is_organisation)
        matches = self._faces.matches(face)
        verdict = judge(face, [each for each in matches if self._is_free(each.other_id)], self._faces)
        if isinstance(verdict, Same):
            self._hits[party_id] = _Hit(verdict.other_id, verdict.why)
            self._claim(verdict.other_id, party_id)
        elif isinstance(verdict, Doubtful):
            self._doubts[party_id] = verdict.matches[:_MOST_KEPT]
        elif matches:
            self._alike[party_id] = matches[0]
        elif face.email in self._deleted:
            self._alike[party_id] = Match(self._deleted[face.email], "same-email", SURE)

    def marked(self, party_id: int, party: StagedParty) -> tuple[int, ...]:
        """Return the clients that are tied to a party by our own reference, on either side."""
        if party.side.partner_hint is not None:
            return (party.side.partner_hint,)
        return self._marked.get(self._reference_of(party_id), ())

    def verdict(self, party_id: int) -> Verdict:
        """Return who a party without a link is on the other side, now that all claims are known."""
        hit = self._hits.get(party_id)
        if hit is not None:
            if len(self._claims[hit.client_id]) == 1:
                return Same(hit.client_id, hit.why)
            return Doubtful((Match(hit.client_id, hit.why, SURE),))
        left = tuple(each for each in self._doubts.get(party_id, ()) if len(self._claims.get(each.other_id, ())) != 1)
        return Doubtful(left[:MOST_CANDIDATES]) if left else Nobody()

    def rivals(self, client_id: int) -> tuple[int, ...]:
        """Return the parties that have an exact claim to a client."""
        return self._claims.get(client_id, ())

    def resembles(self, party_id: int) -> Match | None:
        """Return whom a party resembles although that client belongs to another party, or was deleted."""
        kept = self._doubts.get(party_id)
        return kept[0] if kept else self._alike.get(party_id)

    def is_marked(self, client_id: int) -> bool:
        """Return whether a client carries a reference of ours."""
        return client_id in self._references

    def _is_free(self, client_id: int) -> bool:
        return client_id not in self.owners and client_id not in self._references

    def _claim(self, client_id: int, party_id: int) -> None:
        self._claims[client_id] = (*self._claims.get(client_id, ()), party_id)


def wanted_clients(survey: Survey, party_id: int, party: StagedParty) -> set[int]:
    """Return the clients that an item about this party, which has no link, has to name."""
    found = set(survey.marked(party_id, party))
    verdict = survey.verdict(party_id)
    if isinstance(verdict, Same):
        found.add(verdict.other_id)
    elif isinstance(verdict, Doubtful):
        found.update(each.other_id for each in verdict.matches)
    return found


Clients = Mapping[int, StagedClient]
"""The clients that the items of a page have to name."""
