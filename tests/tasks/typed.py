"""What a type checker says of calls, right and wrong: nobody executes this.

``make check`` runs mypy over it, strict: a wrong call that it accepts leaves its ``type:
ignore`` unused, which is an error, and so is another error than the one in brackets.
"""

from datetime import timedelta
from typing import Any, assert_type

from tasks import Context, SyncContext, Task, task
from tasks.handles import Handle
from tasks.handles.deferred import DeferredHandle
from tasks.handles.result import RunResult


@task(description="Sends it.", timeout=30, backoff=lambda error, run: 2.0 * run.attempts)
async def send_invoice(order: int, *, copy: bool = False) -> str:
    return f"{order} {copy}"


@task(takes_context=True)
def count(context: SyncContext, to: int) -> int:
    return to


@task
async def plain(name: str) -> None: ...


def right() -> None:
    assert_type(send_invoice.enqueue(1, copy=True), Handle)
    assert_type(send_invoice.using(priority=1, run_after=timedelta(1)).enqueue(1), Handle)
    assert_type(send_invoice.enqueue_on_commit(1), DeferredHandle)
    assert_type(send_invoice.enqueue_on_commit(1, using="other"), DeferredHandle)
    assert_type(send_invoice.enqueue_on_commit(1).id, str)
    assert_type(count.enqueue(3).result(1), RunResult)
    known: Task[[str], Any] = plain
    known.enqueue("x")


async def right_in_async_code() -> None:
    assert_type(await send_invoice.aenqueue(order=1), Handle)
    assert_type(await send_invoice.aenqueue_on_commit(1, using="other"), DeferredHandle)
    assert_type(await (await count.aenqueue(3)).aresult(), RunResult)


def wrong_type() -> None:
    send_invoice.enqueue("x")  # type: ignore[arg-type]
    send_invoice.enqueue(1, copy="yes")  # type: ignore[arg-type]
    send_invoice.enqueue_on_commit("x")  # type: ignore[call-overload]
    count.enqueue("3")  # type: ignore[arg-type]


def wrong_arguments() -> None:
    send_invoice.enqueue()  # type: ignore[call-arg]
    send_invoice.enqueue(1, True)  # type: ignore[call-arg]
    send_invoice.enqueue(1, copies=2)  # type: ignore[call-arg]
    send_invoice.enqueue_on_commit()  # type: ignore[call-overload]
    count.enqueue(None, 3)  # type: ignore[call-arg, arg-type]  # its context comes by itself


async def wrong_in_async_code() -> None:
    await send_invoice.aenqueue("x")  # type: ignore[arg-type]
    await send_invoice.aenqueue()  # type: ignore[call-arg]
    await send_invoice.aenqueue_on_commit("x")  # type: ignore[call-overload]
    await send_invoice.aenqueue_on_commit()  # type: ignore[call-overload]


def wrong_overrides() -> None:
    send_invoice.using(priorty=1)  # type: ignore[call-arg]
    send_invoice.using(priority="high")  # type: ignore[arg-type]
    send_invoice.using(run_after="tomorrow")  # type: ignore[arg-type]
    send_invoice.using(backoff=lambda error, run: 1)  # type: ignore[call-arg]
    send_invoice.using(priority=1).enqueue("x")  # type: ignore[arg-type]


def wrong_options() -> None:
    @task(timout=3)  # type: ignore[call-overload, untyped-decorator]
    async def misspelt() -> None: ...

    @task(max_attempts="3")  # type: ignore[call-overload, untyped-decorator]
    async def mistyped() -> None: ...

    @task(takes_context=True)
    async def with_context(context: Context) -> None: ...

    with_context.enqueue()
    misspelt.enqueue()
    mistyped.enqueue()
