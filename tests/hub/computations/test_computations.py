"""Ordering a computation: what a permit allows, field errors, idempotency, the budget's race, revocation, pages."""

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.access import permits
from hub.access.tables import Permit, Request
from hub.computations import service
from hub.computations.checks import DescriptionError, read
from hub.computations.description import Description
from hub.computations.kinds import KINDS
from hub.delivery import orders
from hub.delivery.tables import Order, OrderState
from hub.deployment import Deployment
from hub.errors import ForbiddenError, GoneError, StateError
from hub.people import accounts
from hub.people.roles import Role
from hub.repository.package import pack
from hub.repository.tables import Artefact
from tests.hub.computations.conftest import COUNT, DATASET

pytestmark = pytest.mark.slow

MODEL = COUNT | {"kind": "logistic", "columns": ["age", "event"], "parameters": {"outcome": "event", "positive": ["1"]}}
TABLE = COUNT | {"kind": "synthesis", "columns": ["age", "sex", "time", "event"], "epsilon": 1.0}
Browser = Callable[..., Any]
AsCaller = Callable[..., Any]


def placed(mine: Any, permit: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = mine.api("POST", f"/permits/{permit}/computations", json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()


def found(hub: Deployment, order_id: str) -> Order:
    with hub.database.read() as session:
        return session.get_one(Order, order_id)


def test_an_order_is_queued_with_its_digest(hub: Deployment, permit: str, browser: Browser) -> None:
    mine = browser(Role.DEVELOPER)
    facts = placed(mine, permit, MODEL)
    assert facts["state"] == "queued"
    assert facts["question_sha256"] == Description.model_validate(MODEL).sha256
    assert len(facts["question_sha256"]) == 64
    with hub.database.read() as session:
        assert [o.id for o in orders.waiting(session)] == [facts["id"]]
    page = mine.get(f"/orders/{facts['id']}").text
    assert facts["question_sha256"] in page
    assert "<dd>logistic</dd>" in page


def test_equal_descriptions_have_equal_digests_and_others_others() -> None:
    turned = dict(reversed(list(MODEL.items())))
    assert Description.model_validate(turned).sha256 == Description.model_validate(MODEL).sha256
    changed = [
        MODEL | {"minimum_count": 11},
        MODEL | {"columns": ["event", "age"]},
        MODEL | {"participants": ["a", "b", "c"]},
    ]
    digests = {Description.model_validate(one).sha256 for one in (MODEL, *changed)}
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        (COUNT | {"kind": "nonsense"}, "kind", "one of count"),
        (COUNT | {"surplus": 1}, "surplus", "Extra"),
        (COUNT | {"columns": ["age"]}, "columns", "left out"),
        (COUNT | {"epsilon": 0}, "epsilon", "greater than 0"),
        (COUNT | {"epsilon": 3.5}, "epsilon", "has left, 3"),
        (COUNT | {"purpose": "d"}, "purpose", "of the permit"),
        (COUNT | {"dataset_id": "another"}, "dataset_id", "of the permit"),
        (COUNT | {"rows": 5}, "rows", "only a synthetic table"),
        (COUNT | {"participants": ["north", "south"]}, "participants", "at least 3"),
        (COUNT | {"parameters": {"by": "sex"}}, "parameters.by", "left out"),
        (COUNT | {"filters": [{"column": "age", "op": ">", "value": "old"}]}, "filters.0.value", "codebook"),
        (COUNT | {"filters": [{"column": "age", "op": ">", "value": "nan"}]}, "filters.0.value", "codebook"),
        (COUNT | {"filters": [{"column": "age", "op": "in", "value": ["-inf"]}]}, "filters.0.value", "codebook"),
        (COUNT | {"filters": [{"column": "age", "op": ">", "value": "1e999"}]}, "filters.0.value", "codebook"),
        (COUNT | {"filters": [{"column": "sex", "op": "==", "value": "other"}]}, "filters.0.value", "codebook"),
        (COUNT | {"filters": [{"column": "name", "op": "==", "value": "x"}]}, "filters.0.column", "variable"),
        (COUNT | {"filters": [{"column": "sex", "op": "like", "value": "f"}]}, "filters.0.op", "Input should be"),
        (COUNT | {"kind": "histogram", "columns": []}, "columns", "at least 1"),
        (COUNT | {"kind": "histogram", "columns": ["pseudonym"]}, "columns", "variables of the data set"),
        (COUNT | {"kind": "moments", "columns": ["age"], "epsilon": 1}, "epsilon", "carry no noise"),
        (COUNT | {"kind": "synthesis", "columns": ["age", "sex"]}, "epsilon", "must be given"),
        (MODEL | {"parameters": {}}, "parameters.outcome", "or a horizon"),
        (MODEL | {"parameters": {"outcome": "sex", "positive": ["male"]}}, "parameters.outcome", "among the columns"),
        (COUNT | {"kind": "log_rank", "columns": ["time", "event", "sex"]}, "parameters.by", "groups"),
    ],
)  # fmt: skip
def test_mistakes_are_told_by_field(
    permit: str, browser: Browser, body: dict[str, Any], field: str, words: str
) -> None:
    answer = browser(Role.DEVELOPER).api("POST", f"/permits/{permit}/computations", json=body)
    assert answer.status_code == 422
    told = re.search(rf"(?:body\.|got |; ){re.escape(field)}: ([^;]*)", answer.json()["detail"])
    assert told is not None, answer.json()["detail"]
    assert words in told[1]


def test_no_value_is_repeated() -> None:
    with pytest.raises(DescriptionError) as error:
        read(COUNT | {"filters": [{"column": "age", "op": "secret-of-a-patient", "value": 1}], "epsilon": "secret-too"})
    assert "secret" not in str(error.value)


def test_columns_of_the_permit_bind_everywhere(
    people: dict[Role, Any], permit_for: Callable[..., str], browser: Browser
) -> None:
    permit, mine = permit_for(people[Role.DEVELOPER], columns=["age", "sex"], epsilon=1.0), browser(Role.DEVELOPER)
    placed(mine, permit, COUNT | {"kind": "histogram", "columns": ["age", "sex"]})
    for change in (
        {"kind": "histogram", "columns": ["age", "smoking"]},
        {"filters": [{"column": "smoking", "op": "==", "value": "1"}]},
        {"kind": "moments", "columns": ["age"], "parameters": {"by": "smoking"}},
    ):
        answer = mine.api("POST", f"/permits/{permit}/computations", json=COUNT | change)
        assert answer.status_code == 422, change
    # A table of all columns is one of all that the permit allows.
    assert placed(mine, permit, TABLE | {"columns": []})["question"]["columns"] == ["age", "sex"]


def test_a_permit_never_grants_more_epsilon_than_was_asked(
    people: dict[Role, Any], permit_for: Callable[..., str], browser: Browser
) -> None:
    permit, mine = permit_for(people[Role.DEVELOPER], epsilon=1.2345678), browser(Role.DEVELOPER)
    assert mine.api("GET", f"/permits/{permit}/computations").json()["epsilon"] == 1.2345678


def test_the_agreement_itself_binds_columns_and_epsilon(
    hub: Deployment, people: dict[Role, Any], permit_for: Callable[..., str]
) -> None:
    person = people[Role.DEVELOPER]
    permit = permit_for(person, columns=["age", "sex"], epsilon=1.0)
    use: dict[str, Any] = {
        "person_id": person.id,
        "action": "execute",
        "dataset_id": DATASET,
        "purpose": "e",
        "now": hub.clock(),
    }
    with hub.database.read() as session:
        permits.check(session, permit, **use, columns=["age"], epsilon=1.0)
        more: dict[str, Any]
        for more in ({"columns": ["time"]}, {"epsilon": 1.01}):
            with pytest.raises(ForbiddenError):
                permits.check(session, permit, **use, **more)


def test_without_an_epsilon_nothing_noisy_can_be_ordered(
    people: dict[Role, Any], permit_for: Callable[..., str], browser: Browser
) -> None:
    permit, mine = permit_for(people[Role.DEVELOPER]), browser(Role.DEVELOPER)
    assert mine.api("POST", f"/permits/{permit}/computations", json=TABLE).status_code == 422
    placed(mine, permit, COUNT)


@pytest.mark.parametrize("kind", ["synthetic", "statistics", "permit"])
def test_other_permits_compute_nothing(
    people: dict[Role, Any], permit_for: Callable[..., str], browser: Browser, kind: str
) -> None:
    permit, mine = permit_for(people[Role.DEVELOPER], kind), browser(Role.DEVELOPER)
    assert mine.api("POST", f"/permits/{permit}/computations", json=COUNT).status_code == 403
    assert mine.get(f"/permits/{permit}/compute").status_code == 403


def test_nobody_else_computes_or_looks(hub: Deployment, permit: str, browser: Browser) -> None:
    facts = placed(browser(Role.DEVELOPER), permit, COUNT)
    with hub.database.write() as session:
        other = accounts.create(
            session, now=hub.clock(), email="o@example.org", name="O", roles=frozenset({Role.DEVELOPER}), password=None
        )
    thief = browser(other)
    assert thief.api("POST", f"/permits/{permit}/computations", json=COUNT).status_code == 404
    assert thief.api("GET", f"/permits/{permit}/computations").status_code == 404
    assert thief.get(f"/permits/{permit}/compute").status_code == 404
    assert thief.submit(f"/permits/{permit}/compute", **{"kind": "count"}).status_code == 404
    for method, path in (("GET", ""), ("POST", "/cancel")):
        assert thief.api(method, f"/orders/{facts['id']}{path}").status_code == 404


def test_the_same_question_is_one_order(
    hub: Deployment, permit: str, browser: Browser, tmp_path: Path, hub_clock: Any
) -> None:
    mine = browser(Role.DEVELOPER)
    first = placed(mine, permit, TABLE | {"epsilon": 3.0})
    assert placed(mine, permit, TABLE | {"epsilon": 3.0})["id"] == first["id"], "though no epsilon is left"
    with hub.database.write() as session:
        orders.begin(session, first["id"], "run", hub.clock())
        package = pack({"answer.json": b"{}"}, tmp_path / "p.zip")
        orders.hand_over(session, hub, first["id"], package=package, title="T", shown={}, now=hub.clock())
    assert placed(mine, permit, TABLE | {"epsilon": 3.0})["id"] == first["id"], "its answer lies ready"
    hub_clock.forward(days=15)
    assert mine.api("POST", f"/permits/{permit}/computations", json=TABLE | {"epsilon": 3.0}).status_code == 422
    with hub.database.read() as session:
        assert session.query(Order).count() == 1


def test_of_many_at_once_one_takes_the_last_epsilon(
    hub: Deployment, people: dict[Role, Any], permit: str, as_caller: AsCaller
) -> None:
    states: list[str] = []

    def ask(rows: int) -> None:
        try:
            with as_caller(people[Role.DEVELOPER]) as caller:
                service.place(caller, permit, Description.model_validate(TABLE | {"epsilon": 2.0, "rows": rows}))
            states.append("placed")
        except DescriptionError:
            states.append("refused")

    threads = [threading.Thread(target=ask, args=(100 + i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states) == ["placed"] + ["refused"] * 5


def test_epsilon_counts_from_the_moment_a_run_begins(hub: Deployment, permit: str, browser: Browser) -> None:
    mine = browser(Role.DEVELOPER)

    def left() -> float:
        return mine.api("GET", f"/permits/{permit}/computations").json()["epsilon_left"]

    first = placed(mine, permit, TABLE)
    assert left() == 2.0
    mine.api("POST", f"/orders/{first['id']}/cancel")
    assert left() == 3.0, "nothing was begun"
    second = placed(mine, permit, TABLE)
    with hub.database.write() as session:
        orders.begin(session, second["id"], "run", hub.clock())
        orders.fail(session, second["id"], "lost:north", hub.clock())
    assert left() == 2.0, "noise may have been seen"


def test_revocation_ends_it(
    hub: Deployment, people: dict[Role, Any], permit: str, browser: Browser, as_caller: AsCaller
) -> None:
    mine = browser(Role.DEVELOPER)
    order_id = placed(mine, permit, COUNT)["id"]
    with hub.database.write() as session:
        order = orders.begin(session, order_id, "run", hub.clock())
        assert order.stage == "asking"
        service.must_still_allow(session, hub, order, hub.clock())
    with as_caller(people[Role.HEAD]) as head:
        permits.revoke(head, head.session.get_one(Permit, permit), "misuse")
    assert found(hub, order_id).state == OrderState.CANCELLED
    with hub.database.write() as session:
        assert not orders.progress(session, order_id, "computing", hub.clock(), parties={})
        with pytest.raises(GoneError):
            service.must_still_allow(session, hub, order, hub.clock())
    assert mine.api("POST", f"/permits/{permit}/computations", json=COUNT).status_code == 410
    assert "the permit was revoked" in mine.get(f"/orders/{order_id}").text


def test_an_answer_is_delivered_under_the_permit(
    hub: Deployment, permit: str, browser: Browser, tmp_path: Path
) -> None:
    mine = browser(Role.DEVELOPER)
    order_id = placed(mine, permit, COUNT)["id"]
    news = {"north": {"stage": "running", "note": "sums", "rounds": 3, "bytes": 2048, "seconds": 0.5}}
    with hub.database.write() as session:
        orders.begin(session, order_id, "run", hub.clock())
        orders.progress(session, order_id, "computing", hub.clock(), parties=news, job_sha256="a" * 64)
    page = mine.get(f"/orders/{order_id}").text
    assert "north" in page
    assert "a" * 64 in page
    assert "2.0" in page.replace("\N{NO-BREAK SPACE}", " ")
    package = pack({"answer.json": b'{"patients": 42}', "LICENCE": b"x"}, tmp_path / "p.zip")
    facts = {
        "rows": 0,
        "epsilon": 0.0,
        "parties": ["north", "south", "west"],
        "job_sha256": "a" * 64,
        "report": "<h1>R</h1>",
    }
    with hub.database.write() as session:
        made = orders.hand_over(session, hub, order_id, package=package, title="T", shown=facts, now=hub.clock()).id
        request = session.get_one(Request, session.get_one(Permit, permit).request_id)
        assert (request.state, request.clock) == ("delivered", "results")
    assert "north, south, west" in mine.get(f"/artefacts/{made}").text
    token = mine.api("POST", f"/artefacts/{made}/token").json()["token"]
    answer = mine.api("GET", f"/artefacts/{made}/download", params={"token": token})
    assert answer.content == package.read_bytes()
    assert placed(mine, permit, COUNT)["id"] == order_id, "it still lies ready"
    assert mine.api("GET", f"/artefacts/{made}/download", params={"token": token}).status_code == 403
    with hub.database.write() as session:
        session.get_one(Artefact, made).downloads_left = 0
    assert placed(mine, permit, COUNT)["id"] != order_id, "what nobody can fetch any more may be asked again"


def test_too_late_is_told_in_its_own_minutes(hub: Deployment, permit: str, browser: Browser, hub_clock: Any) -> None:
    order_id = placed(browser(Role.DEVELOPER), permit, COUNT)["id"]
    hub_clock.forward(hours=3)
    with hub.database.write() as session:
        assert orders.overdue(session, hub.clock()) == [order_id]
    assert "within 120 minutes" in (found(hub, order_id).reason or "")


def test_an_unconnected_data_set_is_told(
    hub: Deployment, people: dict[Role, Any], permit: str, as_caller: AsCaller
) -> None:
    from hub.catalogue.tables import Dataset

    with as_caller(people[Role.DEVELOPER]) as caller:
        caller.session.get_one(Dataset, DATASET).use_case = None
        with pytest.raises(StateError, match="connected to a federation"):
            service.place(caller, permit, Description.model_validate(COUNT))


def test_a_data_set_of_images_is_told(hub: Deployment, permit: str, browser: Browser) -> None:
    from hub.catalogue.tables import Dataset

    with hub.database.write() as session:
        session.get_one(Dataset, DATASET).modality = "CT"
    answer = browser(Role.DEVELOPER).api("POST", f"/permits/{permit}/computations", json=COUNT)
    assert answer.status_code == 422
    assert "got one of images" in answer.text


def test_every_kind_has_a_page_that_orders_it(permit: str, browser: Browser) -> None:
    mine = browser(Role.DEVELOPER)
    page = mine.get(f"/permits/{permit}/compute").text
    assert all(f'value="{kind}"' in page for kind in KINDS)
    for kind in KINDS:
        page = mine.get(f"/permits/{permit}/compute", params={"kind": kind})
        assert page.status_code == 200, kind
        assert "<script" not in page.text.split("<main", 1)[1]


def test_the_form_orders_and_tells_mistakes(hub: Deployment, permit: str, browser: Browser) -> None:
    mine, path = browser(Role.DEVELOPER), f"/permits/{permit}/compute"
    fields = {
        "kind": "kaplan_meier", "dataset_id": DATASET, "purpose": "e", "columns": ["time", "event", "sex"], "by": "sex",
        "interval": "30", "minimum_count": "10", "filter_column_0": "age", "filter_op_0": ">=", "filter_value_0": "65",
    }  # fmt: skip
    answer = mine.submit(path, **fields)
    assert answer.status_code == 200
    order = found(hub, str(answer.url).rsplit("/", 1)[-1])
    assert order.question is not None
    assert order.question["filters"] == [{"column": "age", "op": ">=", "value": 65.0}]
    assert order.question["parameters"] == {"by": "sex", "interval": 30}
    wrong = mine.submit(path, **fields | {"filter_value_0": "<script>alert(1)</script>"})
    assert wrong.status_code == 422
    assert "filters.0.value" in wrong.text
    assert "<script>alert" not in wrong.text
    assert 'value="&lt;script&gt;' in wrong.text, "what was written is kept"
    unfinished = mine.submit(path, **fields | {"filter_column_0": ""})
    assert unfinished.status_code == 422, "a filter without its column is not left out in silence"
    linked = fields | {
        "kind": "linked_contingency",
        "by": "",
        "interval": "",
        "holders": "north: time, event\n<b>: sex",
    }
    kept = mine.submit(path, **linked)
    assert kept.status_code == 422
    assert "north: time, event\n&lt;b&gt;: sex" in kept.text
    mine.client.headers["accept-language"] = "fi"
    finnish = mine.submit(path, **fields | {"columns": ["time"]})
    assert "on oltava vähintään 2" in finnish.text


def test_the_request_leads_to_the_order(hub: Deployment, permit: str, browser: Browser) -> None:
    with hub.database.read() as session:
        request = session.get_one(Permit, permit).request_id
    mine = browser(Role.DEVELOPER)
    placed(mine, permit, COUNT)
    with hub.database.write() as session:
        session.get_one(Request, request).form = session.get_one(Request, request).form | {"declarations": []}
    page = mine.get(f"/requests/{request}").text
    assert f"/permits/{permit}/compute" in page
