// deploy/postgres: the scripts that make a primary and its standby of the image `postgres`, with real servers. What the image does around
// them is in a few lines here: it reads the password, forgets in which file that was, and sources the scripts of a new database.

import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { postgresInstallation } from '../../lab/postgres/installation.ts'
import { hasPostgres } from '../support/postgres.ts'
import { hasShells, PageShell } from '../support/shell.ts'

const script = (name: string) => resolve('deploy/postgres', name)

/** The programs of the servers, which refuse to run as root; and what the image has besides. */
function programs(): Record<string, string> {
  const { program, runAs } = postgresInstallation()
  const as = `setpriv --reuid=${runAs.uid} --regid=${runAs.gid} --clear-groups`
  const servers = ['initdb', 'pg_ctl', 'pg_basebackup']
  return {
    ...Object.fromEntries(
      servers.map((name) => [name, `[ "$(id -u)" = 0 ] && as='${as}'; exec $as ${program(name)} "$@"`]),
    ),
    gosu: `shift; exec ${as} "$@"`,
    'docker-entrypoint.sh': `exec pg_ctl -D "$PGDATA" -l "$PGDATA/log" -o "-p 5433 -k ''" -w start`,
  }
}

it.runIf(hasPostgres && hasShells)(
  'the scripts of deploy/postgres make a primary that acknowledges nothing without its standby, and promote that (root)',
  { timeout: 180_000 },
  async () => {
    const shell = PageShell.open(programs())
    const password = join(shell.folder, 'password')
    writeFileSync(password, "a password with $ and '")
    chmodSync(password, 0o644)
    const does = async (block: string) => {
      const said = await shell.run(`(set -e\n${block}\n)`)
      expect(said.code, said.text).toBe(0)
      return said.text
    }
    const sql = (port: number, statement: string) =>
      `PGPASSWORD="$(cat ${password})" psql -h 127.0.0.1 -p ${port} -U mqttsn -d mqttsn -Atc "${statement}"`
    await shell.run(`export POSTGRES_USER=mqttsn POSTGRES_DB=mqttsn PGDATA=$PWD/one PGHOST=127.0.0.1`)
    await does(`
initdb -U mqttsn --pwfile=${password} --auth-host=scram-sha-256 > /dev/null
pg_ctl -D one -l one.log -o "-k ''" -w start
export PGPASSWORD="$(cat ${password})"
createdb -U mqttsn mqttsn
export POSTGRES_PASSWORD="$PGPASSWORD"
unset POSTGRES_PASSWORD_FILE
. ${script('primary.sh')}
pg_ctl -D one -m fast -w stop
pg_ctl -D one -l one.log -o "-k ''" -w start`)
    expect(await does(sql(5432, 'SHOW synchronous_standby_names'))).toBe('ANY 1 (*)\n')

    await does(`
export PGDATA=$PWD/two POSTGRES_PASSWORD_FILE=${password} POSTGRES_PRIMARY=127.0.0.1
sh ${script('standby.sh')}`)
    await shell.runUntil(sql(5432, 'SELECT sync_state FROM pg_stat_replication'), /quorum/)
    await does(sql(5432, 'CREATE TABLE kept AS SELECT 7 AS seven'))

    await does('pg_ctl -D one -m immediate -w stop')
    await does(`PGDATA=$PWD/two PGPORT=5433 PGPASSWORD="$(cat ${password})" sh ${script('promote.sh')}`)
    await shell.runUntil(sql(5433, 'SHOW synchronous_standby_names'), /^\n/)
    expect(await does(sql(5433, 'INSERT INTO kept VALUES (8) RETURNING seven'))).toContain('8\n')
    expect(await does(sql(5433, 'SELECT count(*) FROM kept'))).toBe('2\n')
    await does('pg_ctl -D two -m fast -w stop')
  },
)

it('the compose file gives them what they ask for', () => {
  const { services } = parse(readFileSync('deploy/compose.cluster.yaml', 'utf8'), { merge: true }) as {
    services: Record<string, { environment: Record<string, string>; volumes: string[] }>
  }
  for (const name of ['postgres-1', 'postgres-2']) {
    const { environment = {}, volumes = [] } = services[name] ?? {}
    const scripts = volumes.filter((mount) => mount.startsWith('./postgres/'))
    const asked = scripts
      .map((mount) => readFileSync(join('deploy', mount.split(':')[0] ?? ''), 'utf8'))
      .flatMap((text) => [...text.matchAll(/\$\{?(POSTGRES_\w+)/g)].map(([, variable = '']) => variable))
    // the image makes the one of the other
    const given = [...Object.keys(environment), 'POSTGRES_PASSWORD']
    expect(asked.length).toBeGreaterThan(0)
    expect(given).toEqual(expect.arrayContaining(asked))
  }
})
