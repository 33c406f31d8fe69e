"""Every record of one side, indexed for matching: built once, then asked for each record of the other side."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from heapq import nlargest

from mapping.matching import Face, Match, compare, ranked

# A name is looked up by its rarest runs of three letters, until so many records were met: common runs find everybody.
_MOST_RUNS, _MOST_MET = 8, 800
_MOST_COMPARED = 24
_MOST_NAMESAKES = 100


class Faces(Mapping[int, Face]):
    """The faces of one side by id. Answers in well under a millisecond; takes about a kilobyte for each record."""

    def __init__(self, faces: Iterable[tuple[int, Face]] = ()) -> None:
        self._ids = array("q")
        self._faces: dict[int, Face] = {}
        self._by_key: dict[str, int | tuple[int, ...]] = {}
        self._by_run: dict[str, array[int]] = defaultdict(lambda: array("I"))
        for record_id, face in faces:
            self.add(record_id, face)

    def __getitem__(self, record_id: int) -> Face:
        return self._faces[record_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._faces)

    def __len__(self) -> int:
        return len(self._faces)

    def add(self, record_id: int, face: Face) -> None:
        """Take in one more record. Its id must be new."""
        place = len(self._ids)
        self._ids.append(record_id)
        self._faces[record_id] = face
        for key in _keys(face):
            known = self._by_key.get(key)
            if known is None:
                self._by_key[key] = record_id
            else:
                self._by_key[key] = (*(known if isinstance(known, tuple) else (known,)), record_id)
        for run in _runs(face):
            self._by_run[run].append(place)

    def matches(self, face: Face) -> list[Match]:
        """Return the records that may be the same, the likeliest first."""
        found = {each for key in _keys(face) for each in self._ids_by_key(key)[:_MOST_NAMESAKES]}
        found.update(self._with_similar_name(face))
        return ranked(compare(face, self._faces[each], each) for each in found)

    def _ids_by_key(self, key: str) -> tuple[int, ...]:
        found = self._by_key.get(key, ())
        return found if isinstance(found, tuple) else (found,)

    def _with_similar_name(self, face: Face) -> list[int]:
        met: Counter[int] = Counter()
        known = sorted((len(places), run) for run in _runs(face) if (places := self._by_run.get(run)))
        for number, (_, run) in enumerate(known[:_MOST_RUNS]):
            if number and met.total() > _MOST_MET:
                break
            met.update(self._by_run[run])
        best = nlargest(_MOST_COMPARED, met.items(), key=lambda each: each[1])
        return [self._ids[place] for place, _ in best]


def _keys(face: Face) -> set[str]:
    """Return what has to be equal: addresses, the tax number, whole names. Each kind looks different."""
    names = (f"={name}" for name in (face.person, face.firm) if name)
    return {*face.emails, *((f"#{face.tax_number}",) if face.tax_number else ()), *names}


def _runs(face: Face) -> set[str]:
    """Return the runs of three letters in the words of its names."""
    every = f"{face.person} {face.firm}".split()
    return {f" {word} "[start : start + 3] for word in every for start in range(len(word))}
