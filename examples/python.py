#!/usr/bin/env python3
"""Casts a ballot, shows the tally, and follows the results until Ctrl-C. Needs Python 3.9 or newer and nothing else.

    python3 examples/python.py http://localhost:8000 drinks 1 alice

The last word is the voter, in polls whose electorate is `declared`.
"""

import json
import random
import sys
import time
import uuid
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

TRIES_MAX = 8
TIMEOUT_SECONDS = 10
# The stream is never silent for longer than 15 s.
SILENCE_SECONDS_MAX = 35


def cast_ballot(url, ballot):
    """Tries until it has an answer that is one. Every attempt carries the same key, so the ballot counts once.

    201: counted. 202: kept by the broker, and counted soon.
    """
    headers = {"Content-Type": "application/json", "Idempotency-Key": f'"{uuid.uuid4()}"', "Prefer": "wait=5"}
    request = Request(f"{url}/ballots", json.dumps(ballot).encode(), headers)
    for attempt in range(1, TRIES_MAX + 1):
        wait_seconds = random.uniform(0, attempt)
        try:
            with urlopen(request, timeout=TIMEOUT_SECONDS) as response:
                return json.load(response)
        except HTTPError as error:
            problem = error.read().decode()
            if error.code not in (408, 429) and error.code < 500:
                sys.exit(f"The ballot was refused: {problem}")
            wait_seconds = float(error.headers.get("Retry-After") or wait_seconds)
        except (OSError, HTTPException, ValueError) as error:
            problem = f"no whole answer: {error}"
        time.sleep(wait_seconds)
    sys.exit(f"The ballot may be counted or not; send it again with the same key. Last: {problem}")


def follow(url):
    """The frames of docs/protocol.md, over server-sent events. The first one after a break is the state as it then is."""
    while True:
        try:
            with urlopen(f"{url}/events", timeout=SILENCE_SECONDS_MAX) as lines:
                for line in lines:
                    if line.startswith(b"data: "):
                        yield json.loads(line[6:])
        except (OSError, HTTPException) as error:
            print("The stream broke:", error, file=sys.stderr)
        time.sleep(random.uniform(1, 5))


def main(server, poll, option, user_id=None):
    url = f"{server}/api/v1/polls/{quote(poll, safe='')}"
    ballot = {"selections": [option]} if user_id is None else {"selections": [option], "userId": user_id}
    print("Receipt", cast_ballot(url, ballot)["ballotId"], flush=True)
    with urlopen(f"{url}/tally", timeout=TIMEOUT_SECONDS) as response:
        tally = json.load(response)
    print("Tally", tally["total"], tally["counts"], flush=True)
    for frame in follow(url):
        if frame["type"] == "tally":
            print("Live", frame["total"], frame["counts"], flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        pass
