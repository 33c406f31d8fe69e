"""Lists, single records and what was deleted."""

from typing import Any

import httpx
import pytest
import time_machine

from tests.sandbox.zoho_crm.conftest import SYNC_USER, contact, got, insert, told

WHEN = "2026-03-02T10:00:00Z"


async def listed(zoho: httpx.AsyncClient, /, module: str = "Contacts", **params: Any) -> httpx.Response:
    return await zoho.get(f"/{module}", params={"fields": "Last_Name", **params})


async def many(zoho: httpx.AsyncClient, count: int) -> list[str]:
    return await insert(zoho, "Contacts", *({"Last_Name": f"Nr {number:03}"} for number in range(count)))


def _token(token: str | None) -> dict[str, Any]:
    return {"page_token": token} if token else {}


async def test_a_list_must_name_its_fields_and_at_most_fifty(zoho: httpx.AsyncClient) -> None:
    missing = await zoho.get("/Contacts")
    assert (missing.status_code, missing.json()["code"]) == (400, "REQUIRED_PARAM_MISSING")
    assert missing.json()["details"] == {"param_name": "fields"}
    many_fields = await zoho.get("/Contacts", params={"fields": ",".join(f"F{n}" for n in range(51))})
    assert many_fields.json()["code"] == "LIMIT_EXCEEDED"
    assert many_fields.json()["details"] == {"limit": 50, "param_name": "fields"}


async def test_a_list_shows_the_id_and_what_was_asked_for(zoho: httpx.AsyncClient) -> None:
    person = await contact(zoho, Email="ada@okafor.example")
    body = (await listed(zoho, fields="Email,Nonsense")).json()
    assert body["data"] == [{"id": person, "Email": "ada@okafor.example"}]
    assert body["info"]["count"] == 1
    assert body["info"]["next_page_token"] is None


async def test_an_empty_list_has_no_body_and_does_not_say_json(zoho: httpx.AsyncClient) -> None:
    response = await listed(zoho)
    assert (response.status_code, response.content) == (204, b"")
    assert "content-type" not in response.headers


async def test_nothing_newer_is_not_modified(zoho: httpx.AsyncClient) -> None:
    with time_machine.travel(WHEN, tick=False):
        await contact(zoho)
    newer = {"If-Modified-Since": "2026-03-02T10:59:59+01:00"}
    assert (await zoho.get("/Contacts", params={"fields": "id"}, headers=newer)).status_code == 200
    same = {"If-Modified-Since": "2026-03-02T10:00:00+00:00"}
    response = await zoho.get("/Contacts", params={"fields": "id"}, headers=same)
    assert (response.status_code, response.content) == (304, b"")
    nonsense = await zoho.get("/Contacts", params={"fields": "id"}, headers={"If-Modified-Since": "lately"})
    assert (nonsense.status_code, nonsense.json()["code"]) == (400, "INVALID_DATA")


async def test_a_change_in_the_second_of_the_cursor_is_not_listed(zoho: httpx.AsyncClient) -> None:
    """Instants have no fractions and `after` is strict: whoever resumes at the latest instant loses its companions."""
    with time_machine.travel(WHEN, tick=False) as traveller:
        first = await contact(zoho)
        traveller.shift(0.9)
        await contact(zoho, "Smith")
        at = (await got(zoho, "Contacts", first))["Modified_Time"]
        response = await zoho.get("/Contacts", params={"fields": "id"}, headers={"If-Modified-Since": at})
        assert response.status_code == 304


async def test_lists_come_newest_first_and_can_be_sorted_by_change(zoho: httpx.AsyncClient) -> None:
    with time_machine.travel(WHEN, tick=False) as traveller:
        old, new = await contact(zoho, "Old"), await contact(zoho, "New")
        traveller.shift(10)
        await zoho.put(f"/Contacts/{old}", json={"data": [{"Phone": "1"}]})
        by_id = (await listed(zoho)).json()
        by_change = (await listed(zoho, sort_by="Modified_Time", sort_order="asc")).json()
    assert [each["id"] for each in by_id["data"]] == [new, old]
    assert (by_id["info"]["sort_by"], by_id["info"]["sort_order"]) == ("id", "desc")
    assert [each["id"] for each in by_change["data"]] == [new, old]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"sort_by": "Last_Name"}, "INVALID_DATA"),
        ({"sort_order": "up"}, "INVALID_DATA"),
        ({"per_page": 201}, "INVALID_DATA"),
        ({"per_page": 0}, "INVALID_DATA"),
        ({"page": 0}, "INVALID_DATA"),
        ({"page": 11, "per_page": 200}, "DISCRETE_PAGINATION_LIMIT_EXCEEDED"),
        ({"cvid": 1, "sort_by": "id"}, "AMBIGUITY_DURING_PROCESSING"),
        ({"page_token": "nonsense"}, "PATTERN_NOT_MATCHED"),
        ({"page_token": "nonsense", "page": 2}, "AMBIGUITY_DURING_PROCESSING"),
    ],
)
async def test_a_list_that_cannot_be_given_says_why(zoho: httpx.AsyncClient, params: dict[str, Any], code: str) -> None:
    response = await listed(zoho, **params)
    assert (response.status_code, response.json()["code"]) == (400, code)


async def test_pages_follow_each_other_by_number_and_by_token(zoho: httpx.AsyncClient) -> None:
    ids = (await many(zoho, 5))[::-1]
    second = (await listed(zoho, per_page=2, page=2)).json()
    assert [each["id"] for each in second["data"]] == ids[2:4]
    found, token = [], None
    while True:
        body = (await listed(zoho, per_page=2, **_token(token))).json()
        found += [each["id"] for each in body["data"]]
        token = body["info"]["next_page_token"]
        if token is None:
            break
    assert found == ids
    assert (body["info"]["page"], body["info"]["more_records"], body["info"]["page_token_expiry"]) == (3, False, None)


async def test_only_a_token_reaches_beyond_two_thousand_records(zoho: httpx.AsyncClient) -> None:
    for _ in range(21):
        await many(zoho, 100)
    assert (await listed(zoho, page=11)).json()["details"] == {"limit": 2000}
    token = (await listed(zoho, page=10)).json()["info"]["next_page_token"]
    last = (await listed(zoho, page_token=token)).json()
    assert (last["info"]["count"], last["info"]["page"], last["info"]["more_records"]) == (100, 11, False)


async def test_a_token_belongs_to_its_parameters_and_lasts_a_day(zoho: httpx.AsyncClient) -> None:
    with time_machine.travel(WHEN, tick=False) as traveller:
        await many(zoho, 3)
        info = (await listed(zoho, per_page=2)).json()["info"]
        assert info["page_token_expiry"] == "2026-03-03T11:00:00+01:00"
        other = await listed(zoho, per_page=1, page_token=info["next_page_token"])
        assert other.json()["code"] == "TOKEN_BOUND_DATA_MISMATCH"
        traveller.shift(24 * 3600 + 1)
        late = await listed(zoho, per_page=2, page_token=info["next_page_token"])
        assert (late.json()["code"], late.json()["message"]) == ("EXPIRED_VALUE", "Page token expired")


async def test_a_change_between_two_pages_shifts_rows_only_where_that_is_set(zoho: httpx.AsyncClient) -> None:
    with time_machine.travel(WHEN, tick=False) as traveller:
        ids = []
        for number in range(4):
            ids.append(await contact(zoho, f"Nr {number}"))
            traveller.shift(1)
        params: dict[str, Any] = {"per_page": 2, "sort_by": "Modified_Time", "sort_order": "asc"}
        token = (await listed(zoho, **params)).json()["info"]["next_page_token"]
        await zoho.put(f"/Contacts/{ids[0]}", json={"data": [{"Phone": "1"}]})  # now the last
        seen = {}
        for shifting in (False, True):
            await told(zoho, "settings", {"shifting_pages": shifting})
            page = (await listed(zoho, page_token=token, **params)).json()["data"]
            seen[shifting] = [ids.index(each["id"]) for each in page]
    assert seen == {False: [2, 3], True: [3, 0]}


async def test_records_can_be_asked_for_by_their_ids(zoho: httpx.AsyncClient) -> None:
    ids = await many(zoho, 3)
    body = (await listed(zoho, ids=f"{ids[0]},{ids[2]},17")).json()
    assert {each["id"] for each in body["data"]} == {ids[0], ids[2]}
    assert (await listed(zoho, ids="17")).status_code == 204
    too_many = await listed(zoho, ids=",".join(["17"] * 101))
    assert too_many.json()["code"] == "LIMIT_EXCEEDED"


async def test_a_record_shows_every_field_and_the_keys_of_the_system(zoho: httpx.AsyncClient) -> None:
    record = await got(zoho, "Contacts", await contact(zoho))
    assert record["Email"] is None
    assert record["Tag"] == []
    assert (record["$approval_state"], record["$in_merge"]) == ("approved", False)
    assert record["Modified_By"] == {"name": "Sync Bot", "id": SYNC_USER}


async def test_a_record_that_is_not_there_is_no_content_and_an_id_of_a_wrong_shape_is_refused(
    zoho: httpx.AsyncClient,
) -> None:
    assert (await zoho.get("/Contacts/4876876000300999999")).status_code == 204
    response = await zoho.get("/Contacts/ada")
    assert (response.status_code, response.json()["message"]) == (400, "the id given seems to be invalid")


async def test_an_unknown_module_and_an_unknown_path_are_refused(zoho: httpx.AsyncClient) -> None:
    module, path = await listed(zoho, "Customers"), await zoho.get("/settings/nonsense/here")
    assert (module.status_code, module.json()["code"]) == (400, "INVALID_MODULE")
    assert (path.status_code, path.json()["code"]) == (404, "INVALID_URL_PATTERN")
    assert (await zoho.patch("/Contacts")).status_code == 405


async def test_what_was_deleted_is_listed_with_its_name_and_who_did_it(zoho: httpx.AsyncClient) -> None:
    with time_machine.travel(WHEN, tick=False):
        person = await contact(zoho, First_Name="Ada")
        assert (await zoho.get("/Contacts/deleted", params={"type": "all"})).status_code == 204
        await zoho.delete(f"/Contacts/{person}")
    body = (await zoho.get("/Contacts/deleted", params={"type": "recycle"})).json()
    assert body["data"] == [
        {
            "id": person,
            "display_name": "Ada Okafor",
            "type": "recycle",
            "deleted_time": "2026-03-02T11:00:00+01:00",
            "deleted_by": {"name": "Sync Bot", "id": SYNC_USER},
            "created_by": {"name": "Sync Bot", "id": SYNC_USER},
        }
    ]
    assert body["info"] == {"per_page": 200, "count": 1, "page": 1, "more_records": False}


async def test_what_is_gone_for_good_names_nobody(zoho: httpx.AsyncClient) -> None:
    person = await contact(zoho)
    await zoho.delete(f"/Contacts/{person}")
    await told(zoho, f"records/Contacts/{person}/purge")
    row = (await zoho.get("/Contacts/deleted", params={"type": "permanent"})).json()["data"][0]
    assert (row["id"], row["display_name"], row["deleted_by"], row["created_by"]) == (person, None, None, None)
    assert (await zoho.get("/Contacts/deleted", params={"type": "recycle"})).status_code == 204
    assert (await zoho.get("/Contacts/deleted", params={"type": "some"})).json()["code"] == "INVALID_DATA"


async def test_nothing_deleted_since_an_instant_answers_as_it_is_set(zoho: httpx.AsyncClient) -> None:
    with time_machine.travel(WHEN, tick=False):
        await zoho.delete(f"/Contacts/{await contact(zoho)}")
    since = {"If-Modified-Since": "2026-03-02T10:00:00+00:00"}
    before = {"If-Modified-Since": "2026-03-02T09:59:59+00:00"}
    assert (await zoho.get("/Contacts/deleted", headers=since)).status_code == 204
    await told(zoho, "settings", {"nothing_deleted": 304})
    assert (await zoho.get("/Contacts/deleted", headers=since)).status_code == 304
    assert (await zoho.get("/Contacts/deleted", headers=before)).status_code == 200


async def test_instants_are_told_in_the_organisations_zone_summer_and_winter(zoho: httpx.AsyncClient) -> None:
    offsets = []
    for instant in ("2026-01-15T12:00:00Z", "2026-07-15T12:00:00Z"):
        with time_machine.travel(instant, tick=False):
            offsets.append((await got(zoho, "Contacts", await contact(zoho)))["Created_Time"][-6:])
    assert offsets == ["+01:00", "+02:00"]
    await told(zoho, "settings", {"time_zone": "America/New_York"})
    with time_machine.travel("2026-07-15T12:00:00Z", tick=False):
        assert (await got(zoho, "Contacts", await contact(zoho)))["Created_Time"] == "2026-07-15T08:00:00-04:00"
