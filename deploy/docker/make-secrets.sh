#!/bin/sh
# Writes .env, which docker compose reads, with a generated password for every part. Never overwrites one.
set -eu
cd "$(dirname "$0")/../.."
umask 077
secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
for name in POSTGRES_PASSWORD APPLICATION_PASSWORD PLATFORM_PASSWORD CONTROL_PASSWORD REPOSITORY_PASS TEMPORAL_DATABASE_PASSWORD; do
  if [ -f .env ] && grep -q "^$name=" .env; then
    continue
  fi
  printf '%s=%s\n' "$name" "$(secret)" >> .env
  echo "$name added to .env"
done
