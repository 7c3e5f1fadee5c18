#!/bin/sh
# Makes the standby the primary, when the other one is gone for good: both would take writes. It waits for no standby of its own until
# there is one, and what is acknowledged is on one disk meanwhile; gateways say so.
set -eu
psql="psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username $POSTGRES_USER --dbname $POSTGRES_DB"
$psql --command 'SELECT pg_promote()'
$psql --command "ALTER SYSTEM SET synchronous_standby_names = ''" --command 'SELECT pg_reload_conf()'
