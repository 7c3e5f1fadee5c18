#!/bin/sh
# At the first start of the primary: a standby may follow, and from the next start on nothing is acknowledged without its word. Until
# then the server that runs this waits for nobody. The image has read the password from its file, and forgotten where that is.
set -e
psql --no-psqlrc --set=ON_ERROR_STOP=1 --set=password="${POSTGRES_PASSWORD:?}" \
  --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE standby REPLICATION LOGIN PASSWORD :'password';
ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)';
SQL
echo 'host replication standby all scram-sha-256' >> "$PGDATA/pg_hba.conf"
