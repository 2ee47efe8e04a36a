#!/usr/bin/env python3
"""Searches every file below a directory, and its name, for the secrets of environment variables in ten encodings.

    no_secrets.py DIRECTORY VARIABLE…

A URL's secret is its password; a private key as PEM is also its 32 bytes. Exit 1 names the file, the variable and the
encoding, never the value.
"""
import base64
import html
import json
import os
import sys
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit


def secrets_of(name):
    value = os.environ[name]
    if value.startswith("-----BEGIN"):
        body = "".join(line for line in value.splitlines() if not line.startswith("-----"))
        return [value.encode(), body.encode(), base64.b64decode(body)[-32:]]
    if "://" in value:
        password = urlsplit(value).password
        return [unquote(password).encode()] if password else []
    return [value.encode()] if value else []


def aligned(encode, secret):
    """The letters of base64 that depend on the secret alone, for each place in a group of three where it may begin."""
    for before, unsure in ((0, 0), (1, 2), (2, 3)):
        yield encode(b"\0" * before + secret)[unsure : (before + len(secret)) * 8 // 6]


def encodings(secret):
    yield "raw", secret
    for part in aligned(base64.b64encode, secret):
        yield "base64", part
    for part in aligned(base64.urlsafe_b64encode, secret):
        yield "base64url", part
    yield "hex", secret.hex().encode()
    yield "upper hex", secret.hex().upper().encode()
    yield "percent", quote(secret, safe="").encode()
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        return
    yield "JSON", json.dumps(text)[1:-1].encode()
    yield "HTML", html.escape(text).encode()
    yield "UTF-16LE", text.encode("utf-16-le")
    yield "UTF-16BE", text.encode("utf-16-be")


directory, names = Path(sys.argv[1]), sys.argv[2:]
places = [(path, path.read_bytes() if path.is_file() else b"", os.fsencode(path.name)) for path in directory.rglob("*")]
if sum(path.is_file() for path, _, _ in places) < 5:
    sys.exit(f"{directory}: nothing to search")
found = {
    f"{path.relative_to(directory)} holds {name} as {kind}"
    for name in names
    for secret in secrets_of(name)
    for kind, form in encodings(secret)
    for path, text, own in places
    if form in text or form in own
}
if found:
    sys.exit("\n".join(sorted(found)))
