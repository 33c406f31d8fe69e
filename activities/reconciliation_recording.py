"""Keeping what a comparison finds: numbered, counted, hashed, and known from one report to the next."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from activities.reconciliation_models import Report
from mapping.report_hash import ReportHash
from store.reconciliation_models import Mismatch
from store.store import Store


class Recorder:
    """The mismatches of one report, which are added always in the same order. What an attempt left is made anew."""

    def __init__(self, store: Store, report: Report) -> None:
        self._store, self._report = store, report
        self._hash, self._known, self._number = ReportHash(), set[str](), 0
        self.counts: Counter[str] = Counter()
        self.causes: Counter[str] = Counter()
        self.new = 0

    async def begin(self) -> None:
        """Forget what an earlier attempt has added, and learn what the last report found."""
        await self._store.reconciliations.clear_mismatches(self._report.report_id)
        self._known = await self._store.reconciliations.known(self._report.connection, self._report.flow)

    async def add(self, found: Iterable[Mismatch]) -> None:
        """Add the next ones."""
        rows = await asyncio.to_thread(self._rows, list(found))
        await self._store.reconciliations.add(rows)

    def closed(self, totals: Mapping[str, object]) -> str:
        """Return the hash of all that was added, and of these totals."""
        self._hash.add({**totals, "counts": dict(self.counts), "causes": dict(self.causes)})
        return self._hash.hexdigest()

    def _rows(self, found: list[Mismatch]) -> list[dict[str, Any]]:
        rows = []
        for each in found:
            self._number += 1
            fingerprint = self._fingerprint(each)
            is_new = each.cause == "unknown" and fingerprint not in self._known
            numbered = replace(each, number=self._number, is_new=is_new)
            self._count(numbered)
            rows.append(self._store.reconciliations.row(self._report.report_id, numbered, fingerprint))
        return rows

    def _fingerprint(self, found: Mismatch) -> str:
        """Return by what a difference is known from one report to the next, whatever its values are meanwhile."""
        fields = [each.name for each in found.drifts]
        content = json.dumps([found.kind, found.crm_ids, found.books_ids, fields, *_way(found)])
        return self._store.keys.fingerprint(content.encode())

    def _count(self, found: Mismatch) -> None:
        self.counts[found.kind] += 1
        self.causes[found.cause] += 1
        self.new += found.is_new
        said = asdict(found)
        for not_of_the_difference in ("is_new", "explanation"):
            del said[not_of_the_difference]
        self._hash.add(said)


def _way(found: Mismatch) -> list[str]:
    """Return the name of what is no record: names of people may change without making a difference new."""
    return [] if found.crm_ids or found.books_ids else [found.name]
