#!/usr/bin/env bash
# Casts a ballot, shows the tally, and follows the results until Ctrl-C. Needs bash and curl.
#   examples/curl.sh http://localhost:8000 drinks 1 alice
# The last word is the voter, in polls whose electorate is `declared`.
set -euo pipefail
server="$1" poll="$2" option="$3" user="${4-}"
url="$server/api/v1/polls/$poll"

# One key for one ballot. curl repeats the request after a lost answer, 429 and 5xx, and waits as long as Retry-After says;
# however many attempts arrive, the ballot counts once. It repeats 500 too, where the outcome is unknown.
key="$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
ballot="{\"selections\": [\"$option\"]${user:+, \"userId\": \"$user\"}}"
answer="$(mktemp)"
status="$(curl -sS --max-time 10 --retry 8 --retry-all-errors --retry-max-time 60 -o "$answer" -w '%{http_code}' "$url/ballots" \
  -H 'Content-Type: application/json' -H "Idempotency-Key: \"$key\"" -H 'Prefer: wait=5' -d "$ballot")"
cat "$answer" && echo && rm "$answer"
# 201: counted. 202: kept by the broker, and counted soon. Anything else is a refusal, which says why.
case "$status" in 20?) ;; *) exit 1 ;; esac

curl -sS "$url/tally" && echo
exec curl -sSN --retry 1000 --retry-all-errors "$url/events"
