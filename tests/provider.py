"""An OpenID Connect provider on this machine: whoever comes is the person it was told to let in next."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT = "gyakusan"


@dataclass
class Provider:
    """Where it answers, who comes next, and the codes it has given out, each for one person and one nonce."""

    address: str
    person: str = "ada"
    answers: bool = True
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))

    def secrets_for(self, folder: Path, **more: str) -> Path:
        """Write the secrets of an app that lets people sign in here, and return the file."""
        said = {
            "redirect_uri": "http://127.0.0.1:{port}/oauth2callback",
            "cookie_secret": secrets.token_urlsafe(32),
            "client_id": CLIENT,
            "client_secret": "between us",
            "server_metadata_url": f"{self.address}/.well-known/openid-configuration",
            **more,
        }
        file = folder / "secrets.toml"
        file.write_text("[auth]\n" + "".join(f'{name} = "{value}"\n' for name, value in said.items()), "utf-8")
        return file

    async def about(self, _request: Request) -> Response:
        """Say where everything is."""
        if not self.answers:
            return Response(status_code=503)
        return JSONResponse(
            {
                "issuer": self.address,
                "authorization_endpoint": f"{self.address}/authorize",
                "token_endpoint": f"{self.address}/token",
                "jwks_uri": f"{self.address}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def authorize(self, request: Request) -> Response:
        """Let the next person in without asking."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = self.person, request.query_params["nonce"]
        back = urlencode({"code": code, "state": request.query_params["state"]})
        return RedirectResponse(f"{request.query_params['redirect_uri']}?{back}", 302)

    async def token(self, request: Request) -> Response:
        """Give a signed token for a code, once."""
        form = dict(pair.split("=", 1) for pair in (await request.body()).decode().split("&"))
        person, nonce = self.codes.pop(form["code"])
        now = int(time.time())
        claims = {"iss": self.address, "aud": CLIENT, "sub": person, "iat": now, "exp": now + 600, "nonce": nonce}
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, {**claims, "name": f"{person.title()} *L*"}, self.key)
        return JSONResponse({"access_token": "no use", "token_type": "Bearer", "id_token": signed})

    async def keys(self, _request: Request) -> Response:
        """Give the public key."""
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})


@contextmanager
def provided() -> Iterator[Provider]:
    """Yield a provider that answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    provider = Provider(f"http://127.0.0.1:{port}")
    app = Starlette(
        routes=[
            Route("/.well-known/openid-configuration", provider.about),
            Route("/authorize", provider.authorize),
            Route("/token", provider.token, methods=["POST"]),
            Route("/keys", provider.keys),
        ]
    )
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join(10)
