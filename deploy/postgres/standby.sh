#!/bin/sh
# The standby: a copy of the primary at the first start, which follows it from then on.
set -eu
# given to the image's own start, which makes the folder and gives it to the user that the server runs as
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chown postgres:postgres "$PGDATA"
  chmod 700 "$PGDATA"
  PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE") exec gosu postgres sh "$0"
fi
until [ -s "$PGDATA/PG_VERSION" ]; do
  pg_basebackup --host "$POSTGRES_PRIMARY" --username standby --pgdata "$PGDATA" --wal-method=stream --checkpoint=fast \
    --write-recovery-conf || sleep 1
done
exec docker-entrypoint.sh postgres
