"""What an installation may say about reports."""

import pytest
from pydantic import ValidationError

from runtime.reports import ReportRules


def test_records_may_have_an_address_where_people_see_them() -> None:
    rules = ReportRules(record_urls={"invoice": "https://books.test/{id}/view"})
    assert rules.record_urls == {"invoice": "https://books.test/{id}/view"}


@pytest.mark.parametrize(
    "urls",
    [
        {"invoice": "javascript:alert({id})"},
        {"invoice": "http://books.test/{id}"},
        {"invoice": "https://books.test/"},
        {"bill": "https://books.test/{id}"},
    ],
)
def test_an_address_that_a_report_may_not_link_to_is_refused(urls: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ReportRules(record_urls=urls)
