import httpx
import time_machine

from sandbox.app import Sandbox
from tests.sandbox.conftest import caller, changed_party, new_party

ONE_EMAIL = [{"type": "Work", "address": "ap@acme.example"}]


def problem(response: httpx.Response) -> tuple[int, str]:
    """Return the status and the text of the first validation error, or of the message."""
    body = response.json()
    return response.status_code, (body.get("errors") or [body])[0]["message"]


async def test_a_new_party_answers_201_with_its_address_and_belongs_to_the_token_s_user(
    capsule: httpx.AsyncClient,
) -> None:
    response = await capsule.post("/parties", json={"party": {"type": "organisation", "name": "Acme Ltd"}})
    party = response.json()["party"]
    assert response.status_code == 201
    assert response.headers["Location"] == f"http://capsule.test/api/v2/parties/{party['id']}"
    assert party["owner"]["name"] == "Ann Bell"
    assert "tags" not in party
    assert "fields" not in party


async def test_a_person_joins_the_organisation_of_that_name_or_founds_it(capsule: httpx.AsyncClient) -> None:
    first = await new_party(capsule, type="person", firstName="Ida", organisation={"name": "Berg Studio"})
    second = await new_party(capsule, type="person", firstName="Jan", organisation={"name": "berg studio"})
    assert first["organisation"]["id"] == second["organisation"]["id"]
    firm = first["organisation"]["id"]
    people = (await capsule.get(f"/parties/{firm}/people")).json()["parties"]
    assert [each["firstName"] for each in people] == ["Ida", "Jan"]


async def test_a_person_is_not_an_organisation_to_join(capsule: httpx.AsyncClient) -> None:
    person = await new_party(capsule, type="person", firstName="Ida")
    draft = {"type": "person", "firstName": "Jan", "organisation": {"id": person["id"]}}
    assert problem(await capsule.post("/parties", json={"party": draft})) == (404, "organisation not found")


async def test_what_a_write_does_not_mention_stays(capsule: httpx.AsyncClient) -> None:
    party = await new_party(capsule, about="pays late", emailAddresses=ONE_EMAIL)
    changed = await changed_party(capsule, party["id"], name="Acme Group")
    assert (changed["name"], changed["about"]) == ("Acme Group", "pays late")
    assert changed["emailAddresses"] == party["emailAddresses"]


async def test_sending_the_same_email_again_without_its_id_doubles_it(capsule: httpx.AsyncClient) -> None:
    party = await new_party(capsule, emailAddresses=ONE_EMAIL)
    changed = await changed_party(capsule, party["id"], emailAddresses=ONE_EMAIL)
    assert [each["address"] for each in changed["emailAddresses"]] == ["ap@acme.example", "ap@acme.example"]


async def test_an_email_is_edited_and_removed_by_its_id(capsule: httpx.AsyncClient) -> None:
    party = await new_party(capsule, emailAddresses=[*ONE_EMAIL, {"address": "ceo@acme.example"}])
    first, second = (each["id"] for each in party["emailAddresses"])
    items = [{"id": first, "address": "billing@acme.example"}, {"id": second, "_delete": True}]
    changed = await changed_party(capsule, party["id"], emailAddresses=items)
    assert changed["emailAddresses"] == [{"id": first, "type": "Work", "address": "billing@acme.example"}]


async def test_an_empty_list_changes_nothing_not_even_the_date(capsule: httpx.AsyncClient) -> None:
    with time_machine.travel("2026-03-02T10:00:00Z", tick=False):
        party = await new_party(capsule, emailAddresses=ONE_EMAIL)
    changed = await changed_party(capsule, party["id"], emailAddresses=[])
    assert changed == party


async def test_a_row_that_does_not_exist_is_a_plain_404(capsule: httpx.AsyncClient) -> None:
    party = await new_party(capsule)
    body = {"party": {"emailAddresses": [{"id": 5, "_delete": True}]}}
    assert (await capsule.put(f"/parties/{party['id']}", json=body)).status_code == 404


async def test_a_country_must_be_spelled_as_in_the_dictionary(capsule: httpx.AsyncClient) -> None:
    stored = (await new_party(capsule, addresses=[{"country": "USA"}, {"country": ""}]))["addresses"]
    assert [each["country"] for each in stored] == ["United States", None]
    for wrong in ("UK", "Czech Republic", "Deutschland", "United States of America"):
        draft = {"type": "organisation", "name": "Acme", "addresses": [{"country": wrong}]}
        assert problem(await capsule.post("/parties", json={"party": draft})) == (422, "unknown country")


async def test_a_refused_party_names_what_is_missing(capsule: httpx.AsyncClient) -> None:
    drafts = {
        "type is required": {"name": "Acme"},
        "name is required": {"type": "organisation"},
        "number is required": {"type": "organisation", "name": "Acme", "phoneNumbers": [{"type": "Work"}]},
        "address is required": {"type": "organisation", "name": "Acme", "websites": [{"service": "URL"}]},
        "unknown title": {"type": "person", "firstName": "Ida", "title": "Czar"},
    }
    for text, draft in drafts.items():
        assert problem(await capsule.post("/parties", json={"party": draft})) == (422, text)
    assert (await capsule.get("/parties")).json() == {"parties": []}


async def test_a_body_that_cannot_be_read_is_a_400(capsule: httpx.AsyncClient) -> None:
    assert (await capsule.post("/parties", content="{")).status_code == 400
    two_keys = {"party": {"type": "person", "firstName": "Ida"}, "extra": 1}
    assert (await capsule.post("/parties", json=two_keys)).status_code == 400


async def test_an_owner_sent_alone_clears_the_team(capsule: httpx.AsyncClient) -> None:
    party = await new_party(capsule, owner={"id": 6001}, team={"id": 810})
    assert party["team"] == {"id": 810, "name": "Sales"}
    assert (await changed_party(capsule, party["id"], owner={"id": 6002}))["team"] is None


async def test_deleting_an_organisation_leaves_its_people_without_one(capsule: httpx.AsyncClient) -> None:
    person = await new_party(capsule, type="person", firstName="Ida", organisation={"name": "Berg Studio"})
    firm = person["organisation"]["id"]
    assert (await capsule.delete(f"/parties/{firm}")).status_code == 204
    assert problem(await capsule.delete(f"/parties/{firm}")) == (404, "party not found")
    left = (await capsule.get(f"/parties/{person['id']}")).json()["party"]
    assert left["organisation"] is None


async def test_a_delete_may_become_a_job(sandbox: Sandbox, capsule: httpx.AsyncClient) -> None:
    sandbox.capsule_service.settings.change({"delete_as_job": True})
    party = await new_party(capsule)
    response = await capsule.delete(f"/parties/{party['id']}")
    assert response.status_code == 202
    assert (await capsule.get(response.headers["Location"])).json()["job"]["status"] == "completed"


async def test_deleted_parties_are_listed_since_an_instant_which_must_be_given(capsule: httpx.AsyncClient) -> None:
    party = await new_party(capsule)
    await capsule.delete(f"/parties/{party['id']}")
    assert problem(await capsule.get("/parties/deleted")) == (422, "since is required")
    gone = (await capsule.get("/parties/deleted", params={"since": "2020-01-01T00:00:00Z"})).json()["parties"]
    assert [each["id"] for each in gone] == [party["id"]]
    assert (await capsule.get("/parties/deleted", params={"since": "2999-01-01T00:00:00Z"})).json()["parties"] == []


async def test_ten_parties_come_at_once_and_none_if_one_is_missing(capsule: httpx.AsyncClient) -> None:
    ids = [str((await new_party(capsule))["id"]) for _ in range(2)]
    both = (await capsule.get(f"/parties/{','.join(ids)}")).json()
    assert [str(each["id"]) for each in both["parties"]] == ids
    assert "party" in (await capsule.get(f"/parties/{ids[0]}")).json()
    assert problem(await capsule.get(f"/parties/{ids[0]},1")) == (404, "party not found")
    assert (await capsule.get(f"/parties/{','.join(['1'] * 11)}")).status_code == 422


async def test_pages_follow_each_other_by_id_and_say_whether_more_come(capsule: httpx.AsyncClient) -> None:
    """S62: the list is read to its end by its `next` links."""
    wanted = [(await new_party(capsule, name=f"Firm {number}"))["id"] for number in range(5)]
    found: list[int] = []
    url: str | None = "/parties?perPage=2&embed=tags"
    while url:
        response = await capsule.get(url)
        found += [each["id"] for each in response.json()["parties"]]
        more = response.headers["X-Pagination-Has-More"] == "true"
        url = response.links["next"]["url"] if more else None
        assert more is ("next" in response.links)
    assert found == wanted
    exactly = await capsule.get("/parties", params={"perPage": 5})
    assert (len(exactly.json()["parties"]), exactly.headers["X-Pagination-Has-More"]) == (5, "false")
    assert (await capsule.get("/parties", params={"perPage": 101})).status_code == 422
    assert (await capsule.get("/parties", params={"page": 9})).json()["parties"] == []


async def test_the_list_since_an_instant_holds_what_changed_after_it(capsule: httpx.AsyncClient) -> None:
    with time_machine.travel("2026-03-02T10:00:00Z", tick=False):
        await new_party(capsule, name="Old Ltd")
    with time_machine.travel("2026-03-02T10:00:01Z", tick=False):
        await new_party(capsule, name="New Ltd")
    found = (await capsule.get("/parties", params={"since": "2026-03-02T10:00:00Z"})).json()["parties"]
    assert [each["name"] for each in found] == ["New Ltd"]


async def test_a_lagging_index_hides_a_new_party_but_its_id_answers(
    sandbox: Sandbox, capsule: httpx.AsyncClient
) -> None:
    """F9 of the fault plan: search and list lag."""
    sandbox.capsule_service.settings.change({"search_lag": 60})
    party = await new_party(capsule)
    query = {"filter": {"conditions": [{"field": "name", "operator": "is", "value": "Acme Ltd"}]}}
    assert (await capsule.get("/parties")).json()["parties"] == []
    assert (await capsule.get("/parties/search", params={"q": "Acme"})).json()["parties"] == []
    assert (await capsule.post("/parties/filters/results", json=query)).json()["parties"] == []
    assert (await capsule.get(f"/parties/{party['id']}")).status_code == 200
    sandbox.capsule_service.settings.change({"search_lag": 0})
    assert len((await capsule.get("/parties")).json()["parties"]) == 1


async def test_search_finds_a_part_of_a_name_and_a_plain_list_ignores_the_question(capsule: httpx.AsyncClient) -> None:
    await new_party(capsule, name="Müller Möbel GmbH")
    await new_party(capsule, name="Acme Ltd")
    found = (await capsule.get("/parties/search", params={"q": "möbel"})).json()["parties"]
    assert [each["name"] for each in found] == ["Müller Möbel GmbH"]
    assert len((await capsule.get("/parties", params={"q": "möbel"})).json()["parties"]) == 2


async def test_every_answer_says_how_much_of_the_hour_s_quota_is_left(sandbox: Sandbox) -> None:
    """S61: 4,000 requests an hour for each user, with all of the user's tokens together."""
    async with caller(sandbox, "capsule") as capsule, caller(sandbox, "capsule", "personal") as personal:
        first = await capsule.get("/site")
        second = await personal.get("/site")
    assert (first.headers["X-RateLimit-Limit"], first.headers["X-RateLimit-Remaining"]) == ("4000", "3999")
    assert second.headers["X-RateLimit-Remaining"] == "3998"


async def test_doubled_slashes_and_unknown_addresses(capsule: httpx.AsyncClient) -> None:
    assert (await capsule.get("http://capsule.test/api/v2//parties")).status_code == 200
    assert problem(await capsule.get("/contacts")) == (404, "Could not find resource")
    assert problem(await capsule.delete("/parties")) == (405, "Method not allowed")


async def test_the_account_knows_its_users_and_its_countries(capsule: httpx.AsyncClient) -> None:
    assert (await capsule.get("/users/current")).json()["user"]["username"] == "ann"
    assert (await capsule.get("/users/me")).status_code == 404
    names = {each["name"] for each in (await capsule.get("/countries")).json()["countries"]}
    assert {"United Kingdom", "United States", "Germany", "Czechia"} <= names
    codes = {each["code"] for each in (await capsule.get("/currencies")).json()["currencies"]}
    assert {"EUR", "USD", "GBP", "JPY", "KWD"} <= codes
