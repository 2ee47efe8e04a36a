"""Runs of a reconciliation that reconciles nothing: this service is here to be gated."""
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.settings import DATABASE_URL, for_asyncpg

engine = create_async_engine(for_asyncpg(DATABASE_URL), pool_pre_ping=True)


async def create(run_id, provider, window_start, window_end):
    statement = text(
        "INSERT INTO reconciliation_runs (id, provider, window_start, window_end, status)"
        " VALUES (:id, :provider, :window_start, :window_end, 'queued')"
    )
    values = {"id": run_id, "provider": provider, "window_start": window_start, "window_end": window_end}
    async with engine.begin() as connection:
        await connection.execute(statement, values)


async def move(run_id, status):
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE reconciliation_runs SET status = :status WHERE id = :id"), {"id": run_id, "status": status}
        )


async def find(run_id):
    async with engine.connect() as connection:
        found = await connection.execute(
            text("SELECT id, provider, status FROM reconciliation_runs WHERE id = :id"), {"id": run_id}
        )
        row = found.mappings().first()
        return dict(row) if row else None
