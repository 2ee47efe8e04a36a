#!/usr/bin/env python3
"""Waits for a fresh Mizan, signs its owner in and sets up a connection of the kind `standard-webhooks`."""
import json
import sys
import time
import urllib.error
import urllib.request


def call(url, body=None, token=None):
    request = urllib.request.Request(url, json.dumps(body).encode() if body is not None else None)
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.load(reply)


def wait_for(what, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        try:
            return what()
        except (urllib.error.URLError, ConnectionError) as error:
            if time.monotonic() > deadline:
                sys.exit(f"not in {seconds} s: {error}")
            time.sleep(0.1)


base, password, provider = sys.argv[1:]
wait_for(lambda: call(f"{base}/api/ready"))
owner = {"email": "owner@example.com", "password": password}
token = wait_for(lambda: call(f"{base}/api/v1/auth/login", owner))["access_token"]
call(f"{base}/api/v1/admin/connections", {"provider": provider, "kind": "standard-webhooks"}, token)
