"""What watches over creates says: waiting ones, open ones, marks of ours, the lag of searches.

Fields are only ever added, with defaults: old runs live on.
"""

from datetime import datetime

from pydantic import BaseModel, Field


class BulkFlow(BaseModel):
    """The creates of one connection that wait; `count` of them at a time, and whether a person approved them."""

    connection: str
    count: int
    approved: bool = False


class BulkCount(BaseModel):
    """How many creates wait, or were let go; and how many an hour need no question."""

    count: int
    limit: int


class MarkPage(BaseModel):
    """One page of the records that may carry marks of ours."""

    connection: str
    page: int


class MarkedPage(BaseModel):
    """How many marks a page held."""

    marks: int
    has_more: bool


class MarkRun(BaseModel):
    """One reading of all marks; what it did not see is not there any more."""

    connection: str
    began_at: datetime


class MarkedTwice(BaseModel):
    """One mark of ours, and the records of one system that carry it."""

    connection: str
    system: str
    reference: str
    record_ids: list[str]


class DoubleMarks(BaseModel):
    """The marks that more than one record carries."""

    marks: list[MarkedTwice] = Field(default_factory=list)


class NotedLag(BaseModel):
    """After what time a search showed a new client."""

    connection: str
    system: str
    seconds: float
