"""The arq worker: `arq app.queue.reconciliation_worker.WorkerSettings`."""
import logging

from arq.connections import RedisSettings

from app import runs
from app.settings import REDIS_URL, say_at_start

log = logging.getLogger("arq.reconciliation")


async def startup(_context):
    say_at_start(log.info)


async def reconcile(_context, run_id):
    log.info("reconciliation run %s started", run_id)
    await runs.move(run_id, "running")
    await runs.move(run_id, "completed")
    log.info("reconciliation run %s completed", run_id)


class WorkerSettings:
    functions = [reconcile]
    on_startup = startup
    redis_settings = RedisSettings.from_dsn(REDIS_URL)
    poll_delay = 0.05
