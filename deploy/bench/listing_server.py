"""The process that `drumbeat bench api` asks: the gateway, and beside it a bare route.

Both live in one event loop on one server, each with a pool of the same size.
"""

import os

import uvicorn
import uvloop
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp, Receive, Scope, Send

from api.container import build_container
from api.main import create_app
from shared.config import Settings
from shared.db.session import make_engine
from shared.installation import require

BARE_PATH = "/bare"
ROWS = 50

_READ = text("select id, name, note from bench_rows where id = any (:ids) order by id")


def bare_app(engine: AsyncEngine) -> FastAPI:
    """What FastAPI and the pool cost alone: a transaction, 50 rows by key, a body."""
    app = FastAPI()

    @app.get(BARE_PATH)
    async def read_rows() -> JSONResponse:
        async with engine.begin() as connection:
            rows = await connection.execute(_READ, {"ids": list(range(1, ROWS + 1))})
            return JSONResponse([dict(row._mapping) for row in rows])

    return app


def beside(gateway: ASGIApp, bare: ASGIApp) -> ASGIApp:
    async def choose(scope: Scope, receive: Receive, send: Send) -> None:
        is_bare = scope["type"] == "http" and scope["path"] == BARE_PATH
        await (bare if is_bare else gateway)(scope, receive, send)

    return choose


async def serve(port: int) -> None:
    settings = Settings()
    engine = make_engine(require(settings, "database_url"))
    app = beside(create_app(await build_container(settings)), bare_app(engine))
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False)
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    uvloop.run(serve(int(os.environ["DRUMBEAT_PORT"])))
