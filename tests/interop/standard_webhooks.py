#!/usr/bin/env python3
"""Signs webhooks with the public `standardwebhooks` library and checks what a running Mizan says to them.

    pip install standardwebhooks
    standard_webhooks.py http://127.0.0.1:8001 whsec_... acme-sw [--count 20] [--player UUID --tenant default]

The connection (here `acme-sw`) is of the kind `standard-webhooks` and has the same secret. What the library
accepts must be answered with 2xx, what it refuses with 400 or 401; the library is asked about every request
before it is sent. Without --player the events are of a type that nobody acts on, so nothing is booked.
The last line is `N passed, M failed`; the exit status is 0 if M is 0, and 1 otherwise.
"""
import argparse
import base64
import json
import secrets
import sys
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


def body(number, options, **changes):
    """A generic event. The id is the webhook-id header; the amount is a string or a number in turn."""
    kind = "deposit_captured" if options.player else "interop.ping"
    minor = 1000 + number
    amount = f"{minor // 100}.{minor % 100:02}"
    event = {"event_type": kind, "provider_ref": f"interop_{options.run}_{number}", "tenant_id": options.tenant,
             "currency": "TRY", "amount": "@", "note": "ödeme · ₺ \U0001f4b8"}
    if options.player:
        event["player_id"] = options.player
    event.update(changes)
    text = json.dumps(event, ensure_ascii=number % 3 == 0, indent=2 if number % 4 == 0 else None)
    return text.replace('"@"', amount if number % 2 else f'"{amount}"')


def signed(webhook, message, text, at):
    return {"webhook-id": message, "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": webhook.sign(message, at, text)}


def good_requests(webhook, other, options, now):
    for number in range(options.count):
        text = body(number, options)
        yield f"event {number}", signed(webhook, f"msg_{options.run}_{number}", text, now), text
    text = body(0, options)
    first = signed(webhook, f"msg_{options.run}_0", text, now)
    yield "the same event again", first, text
    both = dict(first)
    both["webhook-signature"] = other.sign(first["webhook-id"], now, text) + " " + first["webhook-signature"]
    yield "two signatures, the second is ours", both, text
    newer = dict(first)
    newer["webhook-signature"] = "v2,abc v1a,def " + first["webhook-signature"]
    yield "signatures of other versions before ours", newer, text
    for seconds in (-280, 280):
        at = now + timedelta(seconds=seconds)
        yield f"a clock that is {seconds} s off", signed(webhook, first["webhook-id"], text, at), text


def bad_requests(webhook, other, options, now):
    text = body(0, options)
    message = f"msg_{options.run}_bad"
    good = signed(webhook, message, text, now)
    changed = {name: dict(good) for name in HEADERS}
    for name in HEADERS:
        del changed[name][name]
        yield f"without {name}", changed[name], text
    for seconds in (-320, 320):
        yield f"{seconds} s off", signed(webhook, message, text, now + timedelta(seconds=seconds)), text
    yield "another secret", signed(other, message, text, now), text
    yield "one byte changed", good, text.replace("10.00", "90.00")
    yield "written again by a JSON library", good, json.dumps(json.loads(text), separators=(",", ":"))
    yield "a new line at the end", good, text + "\n"
    yield "no body", good, ""
    yield "another id", {**good, "webhook-id": message + "x"}, text
    later = str(int(now.timestamp()) + 1)
    yield "another timestamp", {**good, "webhook-timestamp": later}, text
    yield "a timestamp that is none", {**good, "webhook-timestamp": "yesterday"}, text
    signature = good["webhook-signature"]
    yield "another version", {**good, "webhook-signature": signature.replace("v1,", "v2,")}, text
    flipped = base64.b64decode(signature[3:])
    flipped = bytes([flipped[0] ^ 1]) + flipped[1:]
    yield "one bit of the signature", {**good, "webhook-signature": "v1," + base64.b64encode(flipped).decode()}, text
    yield "an empty signature", {**good, "webhook-signature": ""}, text


def post(url, headers, text):
    """Status and the stable code of the answer, if it has one."""
    request = urllib.request.Request(url, text.encode(), {"content-type": "application/json", **headers})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        answer = error.read().decode(errors="replace")
        try:
            return error.code, json.loads(answer).get("error_code", "")
        except (ValueError, AttributeError):
            return error.code, answer[:60]


def library_accepts(webhook, headers, text):
    try:
        webhook.verify(text, headers, json_parse=False)
        return True
    except (WebhookVerificationError, ValueError):
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base_url")
    parser.add_argument("secret")
    parser.add_argument("provider")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--player")
    parser.add_argument("--tenant", default="default")
    options = parser.parse_args()
    options.run = secrets.token_hex(4)
    url = f"{options.base_url.rstrip('/')}/api/v1/payments/webhook/{options.provider}"
    webhook = Webhook(options.secret)
    other = Webhook("whsec_" + base64.b64encode(secrets.token_bytes(24)).decode())
    now = datetime.now(timezone.utc).replace(microsecond=0)

    passed = failed = 0
    for good, requests in ((True, good_requests), (False, bad_requests)):
        for name, headers, text in requests(webhook, other, options, now):
            if library_accepts(webhook, headers, text) != good:
                sys.exit(f"the library itself disagrees about: {name}")
            status, code = post(url, headers, text)
            as_expected = 200 <= status < 300 if good else status in (400, 401)
            passed, failed = passed + as_expected, failed + (not as_expected)
            print(f"{'ok  ' if as_expected else 'FAIL'} {'accept' if good else 'refuse'} {status} {name} {code}".rstrip())
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
