"""One pair over its life: edits on both sides, passes that end early, news that comes twice, bases that are erased."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from mapping.merge import KeepBooks, Merged, Side, merge
from mapping.rules import Direction, FieldRule, Owner, WhenEmpty
from mapping.values import Value

RULES = {
    **{f"{owner}, {way}": FieldRule(owner=owner, direction=way) for owner in Owner for way in Direction},
    "crm, kept where empty": FieldRule(when_empty=WhenEmpty.KEEP),
}
# Most edits hit one field: only then do they meet.
FIELD, SIDE = st.sampled_from(["email", "email", "email", "fax"]), st.sampled_from(["crm", "books"])
VALUE, LATER = st.sampled_from(["a", "b", None]), st.sampled_from([timedelta(seconds=2), timedelta(minutes=1)])


class PairStory(RuleBasedStateMachine):
    """What a firm's people and our passes do to one pair.

    A pass looks, writes the books, then the CRM, and each write first looks whether its record is as it was planned
    for. Anything may happen between. `agreed` is kept by hand: what both sides last held at the end of a write.
    """

    email: ClassVar[FieldRule]

    def __init__(self) -> None:
        super().__init__()
        self.mapped = {"email": self.email, "fax": FieldRule(direction=Direction.BOTH)}
        self.sides: dict[Side, dict[str, Value]] = {
            "crm": dict.fromkeys(self.mapped),
            "books": dict.fromkeys(self.mapped),
        }
        self.by_people: dict[str, Value] = dict.fromkeys(self.mapped)  # what people last made of it in the CRM
        self.agreed: dict[str, Value] = {}
        self.base: dict[str, Value] | None = {}
        self.touched: dict[Side, datetime] = dict.fromkeys(self.sides, datetime(2026, 3, 2, tzinfo=UTC))
        self.now = datetime(2026, 3, 2, tzinfo=UTC)
        self.plan: Merged | None = None
        self.planned_for: dict[Side, dict[str, Value]] = {}
        self.books_written = False

    @rule(side=SIDE, field=FIELD, value=VALUE, later=LATER)
    def edit(self, side: Side, field: str, value: Value, later: timedelta) -> None:
        self._tick(side, later)
        self.sides[side][field] = value
        if side == "crm":
            self.by_people[field] = value

    @rule(field=FIELD, crm=VALUE, books=VALUE, later=LATER)
    def edit_on_both_sides(self, field: str, crm: Value, books: Value, later: timedelta) -> None:
        self.edit("crm", field, crm, later)
        self.edit("books", field, books, later)

    @rule(side=SIDE, later=LATER)
    def add_a_note(self, side: Side, later: timedelta) -> None:
        self._tick(side, later)

    @rule()
    def erase_the_base(self) -> None:
        self.base, self.plan, self.agreed = None, None, {}

    @rule()
    def look(self) -> None:
        plan = self._merged()
        self._check(plan)
        self.plan = None if plan.conflicts else plan
        self.planned_for = {side: dict(values) for side, values in self.sides.items()}
        self.books_written = False

    @precondition(lambda self: self.plan is not None and not self.books_written)
    @rule()
    def write_books(self) -> None:
        if self._moved("books"):
            self.plan = None
            return
        assert self.plan is not None
        self._write("books", self.plan.books_writes)
        self.base = self.plan.next_base(crm_written=False)
        self._agree(self.plan, self.planned_for["crm"], self.sides["books"])
        self.planned_for["books"] = dict(self.sides["books"])
        self.books_written = True

    @precondition(lambda self: self.plan is not None and self.books_written)
    @rule()
    def write_crm(self) -> None:
        assert self.plan is not None
        if not self._moved("crm"):
            self._write("crm", self.plan.crm_writes)
            self.base = self.plan.next_base()
            self._agree(self.plan, self.sides["crm"], self.planned_for["books"])
        self.plan = None

    @rule()
    def crash(self) -> None:
        self.plan = None

    @rule()
    def hear_the_same_news_twice(self) -> None:
        self._pass()
        before = ({side: dict(values) for side, values in self.sides.items()}, self.base)
        again = self._merged()
        assert again.conflicts or (again.books_writes, again.crm_writes) == ({}, {})
        self._pass()
        assert (self.sides, self.base) == before

    @rule(take=SIDE)
    def a_person_decides(self, take: Side) -> None:
        asked = self._merged()
        self._pass(take)
        assert self._merged().conflicts == {}
        for field in asked.conflicts:
            assert self.sides["books"][field] == getattr(asked.conflicts[field], take)

    @invariant()
    def what_goes_one_way_is_never_written_to_the_crm(self) -> None:
        assert all(
            self.sides["crm"][field] == self.by_people[field] for field in self.mapped if not self._both_ways(field)
        )

    def teardown(self) -> None:
        """Left alone, both sides end up saying the same, and one decision is enough."""
        self._pass("crm")
        assert all(
            self.sides["crm"][field] == self.sides["books"][field] for field in self.mapped if self._both_ways(field)
        )
        assert (self._merged().books_writes, self._merged().crm_writes, self._merged().conflicts) == ({}, {}, {})

    def _both_ways(self, field: str) -> bool:
        return self.mapped[field].direction is Direction.BOTH

    def _tick(self, side: Side, later: timedelta) -> None:
        self.now += later
        self.touched[side] = self.now

    def _merged(self) -> Merged:
        times = {"crm_changed_at": self.touched["crm"], "books_changed_at": self.touched["books"]}
        crm, books = dict(self.sides["crm"]), dict(self.sides["books"])  # a plan is of the moment of the look
        return merge(self.base, crm, books, self.mapped, **times)

    def _moved(self, side: Side) -> bool:
        return self.sides[side] != self.planned_for[side]

    def _write(self, side: Side, writes: dict[str, Value]) -> None:
        if writes:
            self._tick(side, timedelta(seconds=1))
        self.sides[side].update(writes)

    def _pass(self, take: Side | None = None) -> None:
        """Make a whole pass, undisturbed."""
        plan = self._merged()
        self._check(plan)
        plan = plan.resolve(take) if take else plan
        self.plan = None
        if not plan.conflicts:
            self._write("books", plan.books_writes)
            self._write("crm", plan.crm_writes)
            self.base = plan.next_base()
            self._agree(plan, self.sides["crm"], self.sides["books"])

    def _agree(self, plan: Merged, crm: dict[str, Value], books: dict[str, Value]) -> None:
        """Note what both sides held when we looked or wrote last; and what of the CRM has been overruled for good."""
        for field, decision in plan.decisions.items():
            if crm[field] == books[field] or (isinstance(decision, KeepBooks) and decision.overruled):
                self.agreed[field] = crm[field]

    def _check(self, plan: Merged) -> None:
        """Compare a plan with what people did since both sides last held the same."""
        for field, each in self.mapped.items():
            crm, books = self.sides["crm"][field], self.sides["books"][field]
            crm_moved, books_moved = crm != self.agreed.get(field), books != self.agreed.get(field)
            if crm is None and each.when_empty is WhenEmpty.KEEP:
                crm_moved = False
            winner = self._winner(each.owner) if crm_moved and books_moved else "crm" if crm_moved else "books"
            if crm == books:
                winner = "nobody"
            assert (field in plan.conflicts) == (winner == "a person")
            assert (field in plan.books_writes) == (winner == "crm")
            assert (field in plan.crm_writes) == (winner == "books" and self._both_ways(field))

    def _winner(self, owner: Owner) -> str:
        newest = max(self.touched, key=lambda side: self.touched[side])
        tied = abs(self.touched["crm"] - self.touched["books"]) < timedelta(seconds=6)
        return {
            Owner.CRM: "crm",
            Owner.BOOKS: "books",
            Owner.NEWEST: "a person" if tied else newest,
            Owner.ASK: "a person",
        }[owner]


@pytest.mark.parametrize("email", RULES.values(), ids=RULES.keys())
def test_a_pair_comes_through_whatever_happens_to_it(email: FieldRule) -> None:
    """F14, F20, F21, S55"""
    story = type("PairStory", (PairStory,), {"email": email})
    run_state_machine_as_test(story, settings=settings(deadline=None, max_examples=50, stateful_step_count=25))
