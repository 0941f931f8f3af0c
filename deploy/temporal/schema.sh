#!/bin/sh
# Temporal's databases on PostgreSQL: made where absent, then brought to the release of these tools.
# SQL_PASSWORD is read by the tool itself.
set -eu
for database in temporal temporal_visibility; do
  case "$database" in
    temporal) versions=/etc/temporal/schema/postgresql/v12/temporal/versioned ;;
    *) versions=/etc/temporal/schema/postgresql/v12/visibility/versioned ;;
  esac
  set -- temporal-sql-tool --plugin postgres12 --ep "$SQL_HOST" --port 5432 --user temporal --db "$database"
  "$@" create
  # Makes the tables that count versions; leaves those of a database that is in use as they are.
  "$@" setup-schema --version 0.0
  "$@" update-schema --schema-dir "$versions"
done
