// The PostgreSQL that is installed on this machine, as Debian puts it, and the user that its programs run as.

import { type ExecFileOptions, execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Where Debian has one folder for each version. */
const VERSIONS = '/usr/lib/postgresql'
/** Milliseconds after which a program of it is given up. */
const PATIENCE = 60_000

/** Where its programs are, and who they run as. */
export interface PostgresInstallation {
  readonly version: string
  /** path of one of its programs */
  program(name: string): string
  /** user and environment of its programs; ours if we are not root, whom it refuses */
  readonly runAs: {
    readonly uid?: number
    readonly gid?: number
    readonly env: NodeJS.ProcessEnv
    readonly cwd: string
  }
}

const found = ((): PostgresInstallation | undefined => {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS) : []
  const version = versions
    .filter((name) => existsSync(join(VERSIONS, name, 'bin/postgres')))
    .sort((a, b) => Number(b) - Number(a))[0]
  if (version === undefined) return undefined
  const env = { PATH: process.env['PATH'], LANG: 'C.UTF-8', PGPASSFILE: '/dev/null' }
  const runAs = { env, cwd: '/' }
  const installation = { version, program: (name: string) => join(VERSIONS, version, 'bin', name), runAs }
  if (process.getuid?.() !== 0) return installation
  const [, uid, gid] = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? []
  if (uid === undefined) return undefined
  return { ...installation, runAs: { ...runAs, uid: Number(uid), gid: Number(gid) } }
})()

/** Whether servers can be started here; tests that need them are skipped by name without. */
export const hasPostgres = found !== undefined

/** Throws where there is none. */
export function postgresInstallation(): PostgresInstallation {
  if (found === undefined)
    throw new Error(`PostgreSQL is not installed in ${VERSIONS} (Debian: apt-get install postgresql)`)
  return found
}

/** Runs one of its programs to the end, and resolves with what it wrote. Rejects with what it complained about. */
export async function runPostgresProgram(
  name: string,
  args: readonly string[],
  options: ExecFileOptions = {},
): Promise<string> {
  const { program, runAs } = postgresInstallation()
  const { stdout } = await promisify(execFile)(program(name), args, {
    ...runAs,
    timeout: PATIENCE,
    ...options,
    encoding: 'utf8',
  })
  return stdout
}
