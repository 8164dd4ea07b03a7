"""The stand-in for Claude's Messages API: a real HTTP server on loopback, faithful on the wire.

    request -> key -> check -> trouble -> filter -> cache plan -> limits -> brain -> reply -> wire

What answers is a small program (see brain.py), and it says so. What is faithful is the
rest: shapes, refusals, errors, limits, the prompt cache and the usage that follows from it.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from aiohttp import web

from bot.demo.claude.admin import Admin
from bot.demo.claude.batches import Batches, check_batched
from bot.demo.claude.brain import Brain
from bot.demo.claude.cache import Plan, PromptCache
from bot.demo.claude.check import check_context, check_key, check_request
from bot.demo.claude.delivery import Delivery, finish, whole
from bot.demo.claude.diagnose import Diagnoses
from bot.demo.claude.errors import Problem, invalid
from bot.demo.claude.filters import refusal_of
from bot.demo.claude.limits import Limits, Tier
from bot.demo.claude.models import Model, catalogue
from bot.demo.claude.prompt import Prompt, read_prompt
from bot.demo.claude.record import Exchange, Served, served
from bot.demo.claude.reply import Composer, Refusal, Reply, refused
from bot.demo.claude.thoughts import check_thoughts
from bot.demo.claude.troubles import Trouble, Troubles

BODY_BYTES = 32 * 1024 * 1024  # a larger request is a 413
ORGANIZATION = "5b1e0000-0000-4000-8000-000000000000"
SHUTDOWN_SECONDS = 0.1  # given to open answers when the stand-in stops
BATCHED = "/v1/messages/batches#request"  # the path by which one stands in the log
KEPT = 20_000  # exchanges in the log, at least; at most twice as many

Handler = Callable[[web.Request, Exchange], Awaitable[web.StreamResponse]]
Listener = Callable[[Exchange], None]


class ClaudeStandIn:
    """A stand-in for Claude.

    Args:
        now: epoch seconds.
        seed: makes ids; the start time goes into them too, so runs don't share ids.
        ttft: seconds to the first event of an answer.
        tokens_per_second: how fast text comes; None for at once.
        tier: rate limits; `limits.UNLIMITED` for none.
        api_key: what a client must send.
        obeys: a hostile mode: it follows instructions found in any text.
        delta_characters: size of a text delta.
        keep_bodies: whether the log keeps request bodies (off for long benchmarks).
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.time,
        seed: int = 0,
        ttft: float = 0.0,
        tokens_per_second: float | None = None,
        tier: Tier | None = None,
        api_key: str = "sk-ant-stand-in",
        obeys: bool = False,
        delta_characters: int = 24,
        keep_bodies: bool = True,
    ) -> None:
        self.now = now
        self.ttft = ttft
        self.tokens_per_second = tokens_per_second
        self.delta_characters = delta_characters
        self.keep_bodies = keep_bodies
        self.api_key = api_key
        self.models: dict[str, Model] = catalogue()
        self.limits = Limits(tier or Tier())
        self.cache = PromptCache()
        self.troubles = Troubles()
        self.brain = Brain(obeys=obeys)
        self.log: list[Exchange] = []
        self.admin = Admin(lambda: self.log, secret=api_key, now=lambda: self.now())
        self.url = ""
        self.batches = Batches(
            self._batched, now=lambda: self.now(), new_id=self.new_id, url=lambda: self.url
        )
        self._diagnoses = Diagnoses()
        self._listeners: list[Listener] = []
        self._count = 0
        self._name = f"{seed}:{now()}".encode()
        self._key = sha256(b"thinking" + self._name).digest()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1; `url` is known afterwards."""
        app = web.Application(client_max_size=BODY_BYTES)
        app.router.add_post("/v1/messages", self._wrap(self._messages))
        app.router.add_post("/v1/messages/count_tokens", self._wrap(self._count_tokens))
        for method, path, act in self.batches.routes():
            app.router.add_route(method, path, self._wrap(self._of_batches(act)))
        app.router.add_get("/v1/models", self._wrap(self._list_models))
        app.router.add_get("/v1/models/{id}", self._wrap(self._get_model))
        for path, answer in self.admin.routes():
            app.router.add_get(path, self._reported(answer))
        app.router.add_route("*", "/{path:.*}", self._wrap(self._nothing))
        self._runner = web.AppRunner(
            app,
            handler_cancellation=True,
            shutdown_timeout=SHUTDOWN_SECONDS,
            access_log=None,
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close the port and let open answers go."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def served(self) -> list[Served]:
        """What was served, oldest first: the account's side of the books."""
        return [found for exchange in self.log if (found := served(exchange)) is not None]

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Be told of each change of an exchange; call what is given back to hear no more."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def wait_for(self, predicate: Callable[[], object], timeout: float = 5.0) -> None:
        """Wait until the predicate is true; it is asked again after each change.

        Raises:
            TimeoutError: it was not true within `timeout` seconds.
        """
        changed = asyncio.Event()
        unlisten = self.listen(lambda _exchange: changed.set())
        try:
            async with asyncio.timeout(timeout):
                while not predicate():
                    changed.clear()
                    await changed.wait()
        finally:
            unlisten()

    def change_model(self, model: str, **rules: Any) -> None:
        """Change what is known of a model, such as its lifecycle or its retirement."""
        self.models[model] = replace(self.models[model], **rules)

    def new_id(self, prefix: str) -> str:
        """Make an id that no other run makes."""
        self._count += 1
        return f"{prefix}01{sha256(self._name + str(self._count).encode()).hexdigest()[:22]}"

    def _told(self, exchange: Exchange) -> None:
        for listener in tuple(self._listeners):
            listener(exchange)

    def _wrap(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Put around each path: the record, the key, and errors in the API's shape."""

        async def handle(request: web.Request) -> web.StreamResponse:
            headers = {k.lower(): v for k, v in request.headers.items()}
            # The SDK sends a key as a bearer token, older ones in a header of its own.
            key = headers.pop("authorization", "").removeprefix("Bearer ").strip()
            key = headers.pop("x-api-key", "") or key
            exchange = Exchange(self._count, self.new_id("req_"), request.path, self.now(), headers)
            self.log.append(exchange)
            if len(self.log) > 2 * KEPT:
                del self.log[:KEPT]
            self._told(exchange)
            try:
                check_key(key, headers, self.api_key)
                return await handler(request, exchange)
            except Problem as problem:
                return self._error(exchange, problem)
            except (ConnectionError, asyncio.CancelledError):
                exchange.state = "client_gone"
                raise
            finally:
                exchange.ended = self.now()
                if not self.keep_bodies:
                    exchange.body = None
                self._told(exchange)

        return handle

    def _reported(
        self, answer: Callable[[web.Request], Mapping[str, Any]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Put around each path of the admin side: its own key, no record, errors in the API's shape."""

        async def handle(request: web.Request) -> web.StreamResponse:
            request_id = self.new_id("req_")
            try:
                self.admin.authenticate(request.headers.get("x-api-key", ""))
                return web.json_response(answer(request))
            except Problem as problem:
                return web.json_response(problem.body(request_id), status=problem.status)

        return handle

    def _error(self, exchange: Exchange, problem: Problem) -> web.Response:
        exchange.status, exchange.error = problem.status, problem.kind
        exchange.error_code, exchange.state = problem.code, "done"
        exchange.response_headers = {**self._identity(exchange), **problem.headers}
        return web.json_response(
            problem.body(exchange.request_id),
            status=problem.status,
            headers=exchange.response_headers,
        )

    def _identity(self, exchange: Exchange) -> dict[str, str]:
        return {"request-id": exchange.request_id, "anthropic-organization-id": ORGANIZATION}

    async def _messages(self, request: web.Request, exchange: Exchange) -> web.StreamResponse:
        body = exchange.body = await _json(request)
        model, prompt, trouble = self._admitted(body)
        plan = self.cache.plan(prompt, self.now())
        self.limits.admit(model.pool, plan.limited, self.now())
        reply = self._reply(body, model, prompt, trouble)
        ttft = self.ttft if trouble.ttft is None else trouble.ttft
        await asyncio.sleep(ttft + trouble.hang_first)
        speed = trouble.tokens_per_second or self.tokens_per_second
        if body["max_tokens"] == 0:
            speed = None
        delivery = Delivery(
            request,
            exchange,
            reply,
            self._envelope(body, model, prompt, plan, trouble),
            trouble,
            begin=lambda: self._begin(exchange, model, plan, prompt, body),
            generated=lambda tokens: self.limits.spend_output(model.pool, tokens, self.now()),
            now=lambda: self.now(),
            tokens_per_second=speed,
            delta_characters=self.delta_characters,
            bytes_per_token=model.bytes_per_token,
        )
        exchange.model = delivery.envelope["model"]
        exchange.usage = {**delivery.envelope["usage"], **reply.usage()}
        exchange.billed = True
        return await delivery.send(stream=bool(body.get("stream")))

    def _admitted(self, body: Any) -> tuple[Model, Prompt, Trouble]:
        model = check_request(body, self.models)
        prompt = read_prompt(body, model)
        check_thoughts(body, model, self._key)
        check_context(prompt)
        if (trouble := self.troubles.take(body)).problem is not None:
            raise trouble.problem
        return model, prompt, trouble

    def _begin(
        self,
        exchange: Exchange,
        model: Model,
        plan: Plan,
        prompt: Prompt,
        body: Mapping[str, Any],
    ) -> dict[str, str]:
        """The first byte leaves: from now on others may read what this request cached."""
        now = self.now()
        self.cache.commit(plan, now)
        exchange.began, exchange.status = now, 200
        exchange.message_id = self.new_id("msg_")
        self._diagnoses.keep(exchange.message_id, prompt, body)
        headers = {**self._identity(exchange), **self.limits.headers(model.pool, now)}
        exchange.response_headers = headers
        self._told(exchange)
        return headers

    def _envelope(
        self, body: Mapping[str, Any], model: Model, prompt: Prompt, plan: Plan, trouble: Trouble
    ) -> dict[str, Any]:
        asked = (body.get("diagnostics") or {}).get("previous_message_id")
        diagnosis = self._diagnoses.compare(asked, prompt, body, plan.read) if asked else None
        usage: dict[str, Any] = {
            **plan.usage(),
            "server_tool_use": None,
            "service_tier": "standard",
            "inference_geo": body.get("inference_geo") or "global",
        }
        if model.fast:
            usage["speed"] = body.get("speed") or "standard"
        return {
            "id": "",
            "type": "message",
            "role": "assistant",
            "model": trouble.served_by or model.id,
            "container": None,
            "diagnostics": diagnosis,
            "usage": usage,
        }

    def _reply(
        self, body: Mapping[str, Any], model: Model, prompt: Prompt, trouble: Trouble
    ) -> Reply:
        refusal = Refusal(trouble.category, trouble.mid) if trouble.refuse else None
        if refusal is None and model.classified:
            refusal = refusal_of(body)
        if refusal is not None and not refusal.mid:
            return refused(Reply(), refusal, 0, model)
        if trouble.empty:
            return Reply(output_tokens=1)
        composer = Composer(model, body, prompt.plain, self._key, self.new_id)
        reply = composer.compose(self.brain.answer(body))
        if refusal is not None:
            return refused(reply, refusal, trouble.after, model)
        return replace(reply, stop_reason=trouble.stop_reason) if trouble.stop_reason else reply

    def _of_batches(
        self, act: Callable[[web.Request, dict[str, Any]], dict[str, Any] | web.Response]
    ) -> Handler:
        async def handle(request: web.Request, exchange: Exchange) -> web.StreamResponse:
            body = exchange.body = await _json(request) if request.can_read_body else {}
            said = act(request, body)
            if isinstance(said, dict):
                return self._answer(exchange, said)
            exchange.status, exchange.state = 200, "done"
            return said

        return handle

    def _batched(self, body: Any) -> dict[str, Any]:
        """One request of a batch: answered like any other, and in the account's record."""
        exchange = Exchange(
            self._count, self.new_id("req_"), BATCHED, self.now(), body=body, ended=self.now()
        )
        self.log.append(exchange)
        try:
            check_batched(body)
            model, prompt, trouble = self._admitted(body)
        except Problem as problem:
            self._error(exchange, problem)
            return {"type": "errored", "error": problem.body(exchange.request_id)}
        plan = self.cache.plan(prompt, self.now())
        reply = self._reply(body, model, prompt, trouble)
        self._begin(exchange, model, plan, prompt, body)
        envelope = self._envelope(body, model, prompt, plan, trouble)
        envelope["usage"]["service_tier"] = "batch"
        envelope["id"], exchange.model = exchange.message_id, envelope["model"]
        message = whole(envelope, reply)
        finish(exchange, reply, "done", message["usage"])
        return {"type": "succeeded", "message": message}

    async def _count_tokens(self, request: web.Request, exchange: Exchange) -> web.Response:
        body = exchange.body = await _json(request)
        self.limits.admit_count(self.now())
        model = check_request(body, self.models, counting=True)
        return self._answer(exchange, {"input_tokens": read_prompt(body, model).tokens})

    async def _list_models(self, request: web.Request, exchange: Exchange) -> web.Response:
        wanted = request.query.getall("lifecycle[]", []) or request.query.getall("lifecycle", [])
        wanted = wanted or ["active", "deprecated"]
        shown = [m for m in self.models.values() if m.lifecycle in wanted]
        ids = [m.id for m in shown]
        after = request.query.get("after_id")
        start = ids.index(after) + 1 if after in ids else 0
        limit = int(request.query.get("limit", "20"))
        page = shown[start : start + limit]
        return self._answer(
            exchange,
            {
                "data": [m.info() for m in page],
                "has_more": start + limit < len(shown),
                "first_id": page[0].id if page else None,
                "last_id": page[-1].id if page else None,
            },
        )

    async def _get_model(self, request: web.Request, exchange: Exchange) -> web.Response:
        model = self.models.get(request.match_info["id"])
        if model is None:
            raise Problem(404, f"model: {request.match_info['id']}")
        return self._answer(exchange, model.info())

    async def _nothing(self, request: web.Request, exchange: Exchange) -> web.Response:
        raise Problem(404, f"Not found: {request.path}")

    def _answer(self, exchange: Exchange, body: Mapping[str, Any]) -> web.Response:
        exchange.status, exchange.state = 200, "done"
        exchange.response_headers = self._identity(exchange)
        return web.json_response(body, headers=exchange.response_headers)


async def _json(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except web.HTTPRequestEntityTooLarge as error:
        raise Problem(413) from error
    except (ValueError, RecursionError) as error:
        raise invalid(f"The request body is not valid JSON: {error}") from error
