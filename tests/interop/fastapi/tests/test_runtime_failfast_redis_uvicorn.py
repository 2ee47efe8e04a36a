"""Without REDIS_URL the service ends at once in strict mode, and never listens."""
import os
import socket
import subprocess
import sys
import time
from pathlib import Path


def listens(port):
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port():
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return any_port.getsockname()[1]


def test_without_redis_nothing_listens():
    port = free_port()
    env = {name: value for name, value in os.environ.items() if name != "REDIS_URL"} | {"CI_STRICT": "1"}
    service = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "server:app", "--host", "127.0.0.1", "--port", str(port)],
        cwd=Path(__file__).parent.parent, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    listened = False
    deadline = time.monotonic() + 20
    while service.poll() is None and time.monotonic() < deadline:
        listened = listened or listens(port)
    service.kill()
    said = service.communicate()[0]
    assert not listened
    assert service.returncode not in (0, -9), said
    assert "config error: REDIS_URL is not set" in said
