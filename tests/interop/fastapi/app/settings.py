"""What the environment says. In strict mode nothing that is needed may be missing: checked when this is imported."""
import os
import sys

STRICT = os.environ.get("ENV") in ("staging", "prod") or os.environ.get("CI_STRICT") == "1"


def needed(name):
    value = os.environ.get(name, "").strip()
    if not value and STRICT:
        sys.exit(f"config error: {name} is not set")
    return value


def for_asyncpg(url):
    """SQLAlchemy wants its driver in the scheme, and asyncpg does not know libpq's sslmode."""
    scheme, _, rest = url.partition("://")
    if scheme.startswith("postgres"):
        return f"postgresql+asyncpg://{rest.partition('?')[0]}"
    return url


DATABASE_URL = needed("DATABASE_URL")
REDIS_URL = needed("REDIS_URL")
if STRICT and not DATABASE_URL.startswith("postgres"):
    sys.exit("config error: DATABASE_URL is no PostgreSQL")


def say_at_start(log):
    """As services do that nobody has told about logs: the gate has to keep these out of its evidence."""
    log("settings: DATABASE_URL=%s REDIS_URL=%s", DATABASE_URL, REDIS_URL)
    for name in ("API_KEY", "JWT_SECRET", "WEBHOOK_SECRET"):
        log("settings: %s=%s", name, os.environ.get(name, ""))
