#!/bin/sh
# Everything between "the servers run" and "a worker can work". Each step may be repeated.
set -eu
export CHRONAWFLOW_APPLICATION_ADMIN_URL="postgresql://postgres:${POSTGRES_PASSWORD}@application"
export CHRONAWFLOW_PLATFORM_ADMIN_URL="postgresql://postgres:${POSTGRES_PASSWORD}@platform"
chronawflow prepare

pgbackrest --stanza=app stanza-create
if ! pgbackrest --stanza=app --output=json info | grep -q '"label"'; then
  echo 'first full backup'
  pgbackrest --stanza=app --type=full backup
fi
