// A fresh data folder: made once on a machine, which takes seconds, and copied for every server.

import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chownSync, existsSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { postgresInstallation, runPostgresProgram } from './installation.ts'

/** Who owns the database that gateways use. Its password is really asked for. */
export const GATEWAY = { user: 'mqttsn', password: 'secret', database: 'mqttsn' } as const
/** Who may do everything, without a password, from this machine. */
export const ADMIN = 'postgres'

const INITDB = ['--no-locale', '--encoding=UTF8', '--no-sync', '--wal-segsize=4', `--username=${ADMIN}`]
const STATEMENTS = [
  `CREATE ROLE ${GATEWAY.user} LOGIN PASSWORD '${GATEWAY.password}';`,
  `CREATE DATABASE ${GATEWAY.database} OWNER ${GATEWAY.user};`,
]
const ACCESS = [
  `host all ${GATEWAY.user} 127.0.0.1/32 scram-sha-256`,
  `host all,replication ${ADMIN} 127.0.0.1/32 trust`,
]

/** A folder below that for temporary files, which the user of PostgreSQL may use. */
export function makePostgresFolder(): string {
  const { uid, gid } = postgresInstallation().runAs
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'mqttsn-postgres-'))
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid)
  return folder
}

/** Copies the template to a folder that is not there yet. */
export async function copyTemplate(data: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', '--reflink=auto', await findTemplate(), data])
}

/** Several processes may make it at the same time: the first one's stays. */
async function findTemplate(): Promise<string> {
  const { version, program, runAs } = postgresInstallation()
  const recipe = createHash('sha256')
    .update(JSON.stringify([INITDB, STATEMENTS, ACCESS]))
    .digest('hex')
  const owner = runAs.uid ?? process.getuid?.() ?? 0
  const name = `mqttsn-postgres-template-${version}-${owner}-${recipe.slice(0, 8)}`
  const template = join(realpathSync(tmpdir()), name)
  if (existsSync(template)) return template
  const folder = makePostgresFolder()
  try {
    const data = join(folder, 'data')
    await runPostgresProgram('initdb', [...INITDB, '--pgdata', data])
    const input = `${STATEMENTS.join('\n')}\n`
    const made = spawnSync(program('postgres'), ['--single', '-D', data, ADMIN], { ...runAs, input })
    if (made.status !== 0) throw new Error(`postgres --single: ${made.stderr}`)
    writeFileSync(join(data, 'pg_hba.conf'), `${ACCESS.join('\n')}\n`)
    try {
      renameSync(data, template)
    } catch (error) {
      if (!existsSync(template)) throw error
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return template
}
