"""A line of an invoice that stands for hours of several projects: what each of them is said to have been billed."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from activities.billing_models import BillLine
from activities.opportunity_models import Line
from activities.project_books import part_of_line
from mapping.money import Money
from mapping.rounding import DEFAULT_POLICY

THIRD = Line(name="Advice", description="", quantity="1", unit_cost="100.00", taxes=[])


def line(unit_cost: str, seconds: dict[int, int]) -> BillLine:
    """Return a line of one entry for each project; the entry has the project's number."""
    said = THIRD.model_copy(update={"unit_cost": unit_cost})
    whole = sum(seconds.values())
    return BillLine(line=said, entry_ids=list(seconds), seconds=whole, hours="1", projects=seconds)


def parts(billed: BillLine, currency: str) -> list[Money]:
    """Return the part of each project."""
    return [
        part_of_line(billed, currency, project, [seconds], DEFAULT_POLICY)
        for project, seconds in billed.projects.items()
    ]


def test_a_hundred_euros_of_three_projects_are_shown_to_the_last_cent() -> None:
    """S14: each worked a third; none of the hundred euros is lost, and none is shown twice."""
    shown = parts(line("100.00", {1: 1200, 2: 1200, 3: 1200}), "EUR")
    assert [each.format() for each in shown] == ["33.34", "33.33", "33.33"]


@given(
    st.decimals(min_value=Decimal("0.01"), max_value=Decimal("99999"), places=2),
    st.lists(st.integers(min_value=1, max_value=360_000), min_size=2, max_size=8),
)
def test_what_projects_show_of_a_line_is_the_line(unit_cost: Decimal, seconds: list[int]) -> None:
    """S3, S14: whatever was worked on each."""
    billed = line(f"{unit_cost}", dict(enumerate(seconds, start=1)))
    assert sum(each.minor for each in parts(billed, "EUR")) == Money(unit_cost, "EUR").minor


def test_an_entry_that_was_moved_to_another_project_still_counts_there() -> None:
    """S3: the line was billed for projects 1 and 2, an hour each; the second hour belongs to project 3 by now."""
    billed = line("80.00", {1: 3600, 2: 3600})
    assert part_of_line(billed, "EUR", 3, [3600], DEFAULT_POLICY).format() == "40.00"
