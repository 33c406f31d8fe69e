"""Whatever is sent as a time entry, a project, a service or a rate, the sandbox answers."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.app import build_sandbox
from tests.sandbox.conftest import FRESHBOOKS, caller
from tests.sandbox.freshbooks_hours import (
    COMMENTS,
    ENTRIES,
    PROJECT,
    PROJECTS,
    SERVICE,
    drafted,
    logged,
    new_project,
    new_service,
)

KEYS = """
    is_logged started_at duration local_started_at local_timezone identity_id client_id project_id service_id task_id
    note billable billed internal active title description due_date budget fixed_price rate billing_method services
    project_type project_manager_id complete name project_default business_id id expense_markup team include_deleted
    include_unlogged started_from started_to updated_since page per_page sort include_logged_duration skip_group
"""
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-03-02", "Europe", "../x", "-1"])
    | st.sampled_from(["880001", "7001", "", "\x00", "true", "9" * 40, "1e5", "title"])
    | st.text(max_size=5)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=4),
    max_leaves=10,
)
BODY = st.dictionaries(st.sampled_from(KEYS.split()), JSON, max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(bodies=st.lists(BODY, min_size=4, max_size=4))
async def test_whatever_is_sent_is_taken_or_refused_but_never_breaks_the_hours(bodies: list[dict[str, Any]]) -> None:
    built = build_sandbox()
    async with caller(built, "freshbooks") as freshbooks:
        entry, project, service = await logged(freshbooks), await new_project(freshbooks), await new_service(freshbooks)
        for body in bodies:
            titled = {"title": "Website", "description": None, **body}
            titled["title"] = titled["title"] or "Website"  # without one the answer is 500, as documented
            for method, path, key, draft in (
                ("POST", ENTRIES, "time_entry", drafted(**body)),
                ("PUT", f"{ENTRIES}/{entry['id']}", "time_entry", drafted(**body)),
                ("POST", PROJECT, "project", titled),
                ("PUT", f"{PROJECT}/{project['id']}", "project", titled),
                ("POST", SERVICE, "service", body),
                ("PUT", f"{COMMENTS}/team_member_rate/7001", "team_member_rate", body),
                ("POST", f"{SERVICE}/{service['id']}/rate", "service_rate", body),
            ):
                answered = await freshbooks.request(method, path, content=json.dumps({key: draft}))
                assert answered.status_code < 500, answered.text
            for kind in ("time_entry", "project", "service", "service_rate", "team_member_rate"):
                url = f"{FRESHBOOKS}/_sandbox/records/{kind}"
                for method, draft in (("POST", body), ("PUT", {"id": entry["id"], **body})):
                    assert (await freshbooks.request(method, url, content=json.dumps(draft))).status_code < 500
            for deed in ("stop", "bill"):
                url = f"{FRESHBOOKS}/_sandbox/records/time_entry/{entry['id']}/{deed}"
                assert (await freshbooks.post(url, content=json.dumps(body))).status_code < 500
            for path in (ENTRIES, f"{PROJECTS}/projects", f"{COMMENTS}/services", f"{COMMENTS}/service_rates"):
                query = {key: str(value) for key, value in body.items()}
                assert (await freshbooks.get(path, params=query)).status_code < 500
    await built.close()
