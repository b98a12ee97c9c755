"""Answers that are JSON."""

import pytest

from tasks.exceptions import TaskFailed
from tests.tasks.agents import cast
from tests.tasks.agents.asked import data
from tests.tasks.agents.endpoint import Endpoint, saying

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    "text",
    ['{"price": 9.5, "currency": "EUR"}', '```json\n{"price": 9.5, "currency": "EUR"}\n```\n'],
)
async def test_output(supervisor: None, endpoint: Endpoint, text: str) -> None:
    endpoint.will(saying(text))
    handle = await cast.clerk.aenqueue("How much?")
    assert (await handle.await_result(20))["output"] == {"price": 9.5, "currency": "EUR"}
    (asked,) = endpoint.asked
    assert asked.body["response_format"]["json_schema"]["schema"] == cast.PRICES
    assert '"enum":["EUR","USD"]' in asked.body["messages"][0]["content"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Ten euros.", "It is no JSON"),
        ('{"price": "ten"}', "$.price: 'ten' is not of type 'number'"),
        ('{"price": 1e999, "currency": "EUR"}', "It is no JSON"),
        ('{"price": NaN, "currency": "EUR"}', "It is no JSON"),
        ("", "It is no JSON"),
    ],
)
async def test_output_is_repaired_once(
    supervisor: None, endpoint: Endpoint, text: str, problem: str
) -> None:
    endpoint.will(saying(text), saying('{"price": 10, "currency": "EUR"}'))
    handle = await cast.clerk.aenqueue("How much?")
    assert (await handle.await_result(20))["output"]["price"] == 10
    (repair,) = (await data(handle, "agent.question"))[1:]
    assert repair["repair"] is True
    assert problem in repair["text"]


async def test_output_that_cannot_be_repaired(supervisor: None, endpoint: Endpoint) -> None:
    endpoint.will(saying("Ten."), saying("Ten!"))
    handle = await cast.clerk.aenqueue("How much?")
    with pytest.raises(TaskFailed, match=r"InvalidOutput.*no JSON"):
        await handle.await_result(20)
    assert len(endpoint.asked) == 2
