"""Endpoints that speak OpenAI's chat completions protocol, as most do."""

import json
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from functools import cache
from typing import Any

import anyio
import anyio.to_thread
import httpx2

from tasks.agents.chat_body import FORMS, body
from tasks.agents.chat_chunks import Chunks, complaint
from tasks.agents.contract import Piece, Request, Waiting
from tasks.agents.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderSilent,
    ReplyBroken,
)
from tasks.agents.patience import Patience, retry_after
from tasks.agents.settings import address, choice, count, mapping, seconds, text, word

__all__ = ["ChatCompletions"]

_LARGEST = 2**20  # bytes of an event of the stream, and characters of a reply's calls
_ERROR_BYTES = 16_384  # of an error's body: its message stands at the beginning
_LONGEST_COMPLAINT = 500  # characters
_AGAIN = frozenset({408, 409, 425, 429})  # and all from 500 on


class ChatCompletions:
    """*model* at *base_url*, to which ``/chat/completions`` is added.

    *timeout* is how many seconds nothing may come. A request that is answered with 429 or
    5xx, or not at all, is tried again up to *retries* times, when ``Retry-After`` says, if
    that is not more than *longest_wait* seconds; a reply that has begun is not. *options* go into
    every request (``temperature`` and so on), *headers* too. *response_format* is how the
    endpoint is asked for JSON: ``json_schema``, ``json_object`` or ``none``.

    The environment is not looked at: neither for a key nor for a proxy.
    """

    calls_tools = True

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        api_key: str = "",
        timeout: float = 120.0,
        connect_timeout: float = 10.0,
        retries: int = 3,
        longest_wait: float = 60.0,
        options: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        response_format: str = "json_schema",
    ) -> None:
        self._url = f"{address('BASE_URL', base_url)}/chat/completions"
        self._model = text("MODEL", model)
        self._key = word("API_KEY", api_key)
        self._timeouts = (
            seconds("CONNECT_TIMEOUT", connect_timeout),
            seconds("TIMEOUT", timeout),
        )
        self._retries = count("RETRIES", retries)
        self._longest_wait = seconds("LONGEST_WAIT", longest_wait)
        self._options = mapping("OPTIONS", options)
        self._headers = {
            key: word("HEADERS", value) for key, value in mapping("HEADERS", headers).items()
        }
        self._proxy = None if proxy is None else address("PROXY", proxy, user=True)
        self._secrets = [each for each in (self._key, proxy, *self._headers.values()) if each]
        self._form = choice("RESPONSE_FORMAT", response_format, FORMS)

    def __repr__(self) -> str:
        return f"<ChatCompletions {self._model} at {self._url}>"

    async def reply(self, request: Request) -> AsyncGenerator[Piece, None]:
        """See :class:`~tasks.agents.contract.Provider`."""
        patience = Patience(self._retries, self._longest_wait)
        # Reading the system's certificates takes long enough to keep the event loop waiting.
        tls = await anyio.to_thread.run_sync(_tls)
        async with self._client(tls) as client:
            while True:
                answered = await self._ask(client, request)
                if not isinstance(answered, ProviderError):
                    async with aclosing(self._pieces(answered)) as pieces:
                        async for piece in pieces:
                            yield piece
                    return
                pause = patience.pause(answered)
                yield Waiting(pause, str(answered))
                await anyio.sleep(pause)

    def _client(self, tls: ssl.SSLContext) -> httpx2.AsyncClient:
        connect, silence = self._timeouts
        return httpx2.AsyncClient(
            verify=tls,
            proxy=self._proxy,
            trust_env=False,
            timeout=httpx2.Timeout(silence, connect=connect),
            headers={"Accept": "text/event-stream", "Accept-Encoding": "identity", **self._headers}
            | ({"Authorization": f"Bearer {self._key}"} if self._key else {}),
        )

    async def _ask(
        self, client: httpx2.AsyncClient, request: Request
    ) -> httpx2.Response | ProviderError:
        """The answer, open; or what is in the way of one, and may not be next time."""
        given = body(request, self._model, self._form, self._options)
        try:
            answer = await client.send(
                client.build_request("POST", self._url, json=given), stream=True
            )
        except (httpx2.ReadTimeout, httpx2.WriteTimeout):
            raise ProviderSilent(self._silence()) from None
        except httpx2.TransportError as error:
            return ProviderError(self._clean(f"The endpoint cannot be reached: {_said(error)}"))
        if answer.is_success:
            return answer
        try:
            return await self._refusal(answer)
        finally:
            await answer.aclose()

    async def _pieces(self, answer: httpx2.Response) -> AsyncGenerator[Piece, None]:
        chunks = Chunks(_LARGEST)
        try:
            async for event in httpx2.EventSource(answer, max_event_size=_LARGEST):
                for piece in chunks.take(event.data):
                    yield piece
                if chunks.done:
                    break
        except httpx2.RequestError as error:
            if not chunks.complete:  # else what is lost is the end of the stream alone
                raise self._broken(error) from None
        except ReplyBroken as error:
            raise ReplyBroken(self._clean(str(error))) from None
        finally:
            await answer.aclose()
        for call in chunks.end():
            yield call

    def _broken(self, error: httpx2.RequestError) -> ProviderError:
        if isinstance(error, httpx2.TimeoutException):
            return ProviderSilent(self._silence())
        if isinstance(error, httpx2.SSEError):
            return ReplyBroken(self._clean(f"The endpoint sends no stream: {error}"))
        return ReplyBroken(self._clean(f"The stream was cut: {_said(error)}."))

    async def _refusal(self, answer: httpx2.Response) -> ProviderError:
        """What an answer without a reply means; raises it if another try makes no sense."""
        status = answer.status_code
        message = f"The endpoint answered {status}: {await self._complaint(answer)}"
        if status in _AGAIN or status >= 500:
            return ProviderBusy(message, status=status, retry_after=retry_after(answer.headers))
        raise ProviderRefused(message, status=status)

    async def _complaint(self, answer: httpx2.Response) -> str:
        found = b""
        try:
            async for data in answer.aiter_bytes():
                found += data
                if len(found) > _ERROR_BYTES:
                    break
        except httpx2.RequestError as error:
            return self._clean(f"(cut: {_said(error)})")
        try:
            return self._clean(complaint(json.loads(found)))
        except (ValueError, RecursionError):
            return self._clean(found.decode(errors="replace"))

    def _clean(self, message: str) -> str:
        """*message* as it may be stored and shown: short, and never with the key in it."""
        for secret in self._secrets:
            message = message.replace(secret, "***")
        message = " ".join(message.split())
        return message if len(message) <= _LONGEST_COMPLAINT else f"{message[:_LONGEST_COMPLAINT]}…"

    def _silence(self) -> str:
        return f"The endpoint has said nothing for {self._timeouts[1]:g} s."


@cache
def _tls() -> ssl.SSLContext:
    return httpx2.create_ssl_context(trust_env=False)


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
