"""A sign-in provider of OpenID Connect that lets everybody in under one address: enough for st.login's whole trip, on this machine alone."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

from tests.e2e.serving import free_port

EMAIL = "reader@example.org"


@contextmanager
def provide(client: str) -> Iterator[str]:
    """The provider's address, for one client."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    key = RSAKey.generate_key(2048, {"kid": "one"})
    nonces: dict[str, str] = {}

    async def about(request: Request) -> JSONResponse:
        ends = {f"{what}_endpoint": f"{issuer}/{what}" for what in ("authorization", "token")}
        return JSONResponse(
            ends
            | {
                "issuer": issuer, "jwks_uri": f"{issuer}/keys", "response_types_supported": ["code"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )  # fmt: skip

    async def authorization(request: Request) -> RedirectResponse:
        asked = request.query_params
        code = secrets.token_hex(8)
        nonces[code] = asked.get("nonce", "")
        return RedirectResponse(asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]}))

    async def token(request: Request) -> JSONResponse:
        form = await request.form()
        now = int(time.time())
        claims = {
            "iss": issuer,
            "sub": "1",
            "aud": client,
            "iat": now,
            "exp": now + 600,
            "nonce": nonces.pop(str(form["code"])),
            "email": EMAIL,
        }
        return JSONResponse(
            {
                "access_token": "a",
                "token_type": "Bearer",
                "expires_in": 600,
                "id_token": jwt.encode({"alg": "RS256", "kid": "one"}, claims, key),
            }
        )

    async def keys(request: Request) -> JSONResponse:
        return JSONResponse(KeySet([key]).as_dict(private=False))

    routes = [
        Route("/.well-known/openid-configuration", about), Route("/authorization", authorization), Route("/token", token, methods=["POST"]), Route("/keys", keys),
    ]  # fmt: skip
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=port, log_level="error"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    try:
        yield issuer
    finally:
        server.should_exit = True
