"""A service of FastAPI as small as the gate of gates/examples/fastapi-alembic-arq.yaml allows: `uvicorn server:app`."""
import asyncio
import logging
import uuid
from contextlib import asynccontextmanager
from datetime import datetime

from arq import create_pool
from arq.connections import RedisSettings
from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel
from redis.asyncio import Redis
from sqlalchemy import text

from app import runs
from app.settings import REDIS_URL, say_at_start

log = logging.getLogger("uvicorn.error")
# Shorter than whoever asks for readiness waits.
PATIENCE = 1.0


@asynccontextmanager
async def life(_app):
    say_at_start(log.info)
    yield


app = FastAPI(lifespan=life)


async def database():
    async with runs.engine.connect() as connection:
        await connection.execute(text("SELECT 1"))


async def redis():
    client = Redis.from_url(REDIS_URL, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE)
    try:
        await client.ping()
    finally:
        await client.aclose()


async def reached(what):
    try:
        await asyncio.wait_for(what(), PATIENCE)
        return "connected"
    except Exception as error:  # Whatever it is, it is not there.
        log.warning("%s cannot be reached: %s", what.__name__, type(error).__name__)
        return "unreachable"


@app.get("/api/ready")
async def ready(response: Response):
    found = dict(zip(("database", "redis"), await asyncio.gather(reached(database), reached(redis))))
    well = all(it == "connected" for it in found.values())
    response.status_code = 200 if well else 503
    return {"status": "ok" if well else "fail", "dependencies": found}


@app.get("/api/version")
async def version():
    return {"service": "fastapi-example", "version": "1.0.0"}


class Wanted(BaseModel):
    provider: str
    window_start: datetime
    window_end: datetime


@app.post("/api/v1/reconciliation/runs")
async def create(wanted: Wanted):
    run_id = str(uuid.uuid4())
    await runs.create(run_id, wanted.provider, wanted.window_start, wanted.window_end)
    queue = await create_pool(RedisSettings.from_dsn(REDIS_URL))
    try:
        await queue.enqueue_job("reconcile", run_id)
    finally:
        await queue.aclose()
    return {"id": run_id, "status": "queued"}


@app.get("/api/v1/reconciliation/runs/{run_id}")
async def get(run_id: uuid.UUID):
    found = await runs.find(str(run_id))
    if not found:
        raise HTTPException(404)
    return found
