#!/bin/sh
# Writes deploy/.env with passwords drawn for this installation, which deploy/compose.yaml reads. Run it once: what is there is kept.
# Each is of hexadecimal digits, so that it stands in a URL as it is.
set -eu
file="$(dirname "$0")/.env"
if [ -e "$file" ]; then
  echo "$file is there already and stays as it is." >&2
  exit 0
fi

draw() {
  od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}

umask 077
cat >"$file.new" <<END
POSTGRES_PASSWORD=$(draw 24)
RABBITMQ_PASSWORD=$(draw 24)
REDIS_PASSWORD=$(draw 24)
JWT_SECRET_KEY=$(draw 48)
END
mv "$file.new" "$file"
echo "$file is written. Keep it: the databases remember its passwords." >&2
