// What tests of the files in deploy/ have in common: the configuration that they make, and the published schemas.

import { spawnSync } from 'node:child_process'
import { loadConfig } from '../../src/config/load.ts'
import { haveCommands, say } from './debian.ts'
import { haveRegistry } from './package.ts'

export const TOKEN = 'a token of enough characters'
/** Where the image has its state and its configuration. */
export const STORE = '/var/lib/mqttsn'
export const CONFIG = '/etc/mqttsn/gateway.config.json'

/** The configuration that a file and variables make; throws if the gateway would not start with them. */
export const configOf = (file: string, env: Record<string, string>) =>
  loadConfig({ file, env: { MQTTSN_STORE__PATH: STORE, ...env } }).config

export const portOf = (url: string): number => Number(new URL(url).port)

/** A compose file, as far as tests look at it. */
export interface Compose {
  services: Record<string, ComposeService>
  volumes?: Record<string, unknown>
  networks?: Record<string, unknown>
  secrets?: Record<string, unknown>
}

/** One service in it. */
export interface ComposeService {
  environment?: Record<string, string>
  volumes?: string[]
  ports?: string[]
  depends_on?: string[]
  secrets?: string[]
  networks?: Record<string, unknown>
  build?: string
}

const schemas = '/var/tmp/mqttsn-install/schemas'

/** Whether files can be held against the published schemas. */
export const haveSchemas =
  haveCommands('python3', 'go') &&
  haveRegistry() &&
  spawnSync('bash', ['lab/install/schemas.sh', schemas], { stdio: 'ignore', timeout: 300_000 }).status === 0

/** What is wrong with these files by their schema, one line each. */
export const validate = (kind: 'compose' | 'kubernetes', ...files: string[]): string =>
  say('python3', 'lab/install/validate.py', schemas, kind, ...files)
