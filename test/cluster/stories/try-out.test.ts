// "Three nodes on one machine in ten minutes" in docs/cluster.md: its commands, as they stand there.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { postgresInstallation } from '../../../lab/postgres/installation.ts'
import { haveMosquitto } from '../../support/broker.ts'
import { hasPostgres } from '../../support/postgres.ts'
import { hasShells, PageShell } from '../../support/shell.ts'

/** Milliseconds on a machine that is busy with other things. */
const TIMEOUT = 600_000
/** Milliseconds until what was not to be waited for has happened there. */
const PATIENCE = 180_000

const page = readFileSync('docs/cluster.md', 'utf8')
const [, section = ''] = /^## Three nodes on one machine.*\n([\s\S]*?)^## /m.exec(page) ?? []
/** In order, by the words in bold before each; those before all such words are called `begin`. */
const blocks = new Map(
  [...section.matchAll(/(?:\*\*([^*]+)\*\*|^)(?:(?!\*\*)[\s\S])*?```sh\n([\s\S]*?)```/gm)].map(
    ([, name = 'begin', code = '']) => [name.replace(/[,.]$/, ''), code] as const,
  ),
)

/** The package as it was built here stands for the one that npm would fetch; servers of PostgreSQL run as its user. */
function programs(): Record<string, string> {
  const { program, runAs } = postgresInstallation()
  const as = `setpriv --reuid=${runAs.uid} --regid=${runAs.gid} --clear-groups`
  const servers = ['initdb', 'pg_ctl', 'pg_basebackup'].map((name) => [
    name,
    `exec ${as} ${program(name)} "$@"`,
  ])
  return {
    ...Object.fromEntries(servers),
    npm: 'echo "npm $*"',
    mqttsn: `exec ${process.execPath} ${resolve('dist/src/cli.js')} "$@"`,
  }
}

it('docs/cluster.md has a section that shows three nodes on one machine', () => {
  expect([...blocks.keys()]).toEqual([
    'begin',
    'A database on two servers, and a broker',
    'Three nodes',
    'A sensor that speaks to gw-1',
    'Kill that one',
    'Start it again',
    'Kill the database',
    'Away with it',
  ])
})

it.runIf(hasPostgres && haveMosquitto && hasShells)(
  'the commands of docs/cluster.md, in their order, show three nodes on one machine that outlive a node and a database (root) [SN-SESS-10]',
  { timeout: TIMEOUT },
  async () => {
    // the page has the defaults, which a machine that is busy with other things may be too slow for; a fifth of the lease is between two
    // looks at the database, which is away for three seconds
    const shell = PageShell.open(programs(), { MQTTSN_CLUSTER__LEASE: '12s', MQTTSN_CLUSTER__SETTLE: '3s' })
    const run = async (name: string) => {
      const said = await shell.run(blocks.get(name) ?? '', PATIENCE)
      expect(said, name).toMatchObject({ code: 0 })
      return said.text
    }
    const top = (n: number, expected: RegExp) =>
      shell.runUntil(`mqttsn top -h 127.0.0.1${n} --once`, expected, PATIENCE)

    expect(await run('begin')).toContain('npm install --ignore-scripts mqtt-sn-gateway')
    await run('A database on two servers, and a broker')
    const following = `psql -h 127.0.0.1 -p 5441 -U mqttsn -Atc 'SELECT sync_state FROM pg_stat_replication'`
    await shell.runUntil(following, /quorum/, PATIENCE)
    const started = await run('Three nodes')
    expect(started).toMatch(/store\.url: 127\.0\.0\.1:5441 takes writes/)
    expect(started).toMatch(/^ready$/m)
    await top(3, /^nodes {6}gw-1 34\d slots, gw-2 34\d slots, gw-3 34\d slots \(asked here\)$/m)

    // the conversation at gw-2 with gw-1 between, as gw-3 shows it
    expect(await run('A sensor that speaks to gw-1')).toMatch(/PUBLISH.*door\/kitchen/)
    await top(3, /^kitchen +active .* gw-2$/m)
    await run('Kill that one')
    await shell.runUntil('cat gw-1.log gw-3.log', /"from":"gw-2".*its process is gone/, PATIENCE)
    await top(1, /gw-1 5\d\d slots \(asked here\), gw-2 gone, gw-3 5\d\d slots/)
    const served = await top(1, /^kitchen +active .* gw-[13]$/m)
    expect(served).not.toContain('served by nobody')

    expect(await run('Start it again')).toMatch(/^ready$/m)
    expect(await run('Kill the database')).toMatch(/pg_promote[\s\S]*ALTER SYSTEM/)
    const promoted = await top(1, /^ +the database keeps what it acknowledges on one machine$/m)
    expect(promoted).not.toContain('does not answer')
    await shell.runUntil(
      'cat gw-1.log',
      /the database cannot be reached[\s\S]*"the database is back"/,
      PATIENCE,
    )
    await top(1, /^kitchen +active /m)
    // it has been connected once, by the node that was killed
    expect((await shell.run('cat kitchen.log gw-*.log')).text.match(/kitchen is connecting/g)).toHaveLength(1)
    expect((await shell.run('grep -h accepted.by.the.broker gw-*.log')).text.trim().split('\n')).toHaveLength(
      1,
    )

    expect((await run('Away with it')).split('\n').at(-2)).toContain('server stopped')
  },
)
