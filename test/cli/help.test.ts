// Every command's help: examples that run as they stand, and exit codes.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commands } from '../../src/cli/commands.ts'
import { openLmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { directoryWith } from '../config/files.ts'
import { freePort } from '../support/broker.ts'
import { DtlsRelay } from '../support/dtls-relay.ts'
import { type LiveGateway, startLiveGateway } from '../support/live-gateway.ts'
import { PROGRAM, run } from './compiled.ts'

let live: LiveGateway
/** DTLS in front of it */
let relay: DtlsRelay
const KEY = '000102030405060708090a0b0c0d0e0f'

beforeAll(async () => {
  live = await startLiveGateway()
  relay = await DtlsRelay.open(live.test.url(), { findKey: () => Buffer.from(KEY, 'hex') })
})
afterAll(async () => {
  relay.end()
  await live.stop()
})

/** Where the gateway of this test is, in the way of the example. */
const hostOf = (example: string) =>
  example.includes('dtls://') ? ['-h', relay.url] : ['-h', '127.0.0.1', '-p', gatewayPort()]
const portOf = (url: string) => url.replace(/.*:/, '')
const gatewayPort = () => portOf(live.test.gateway.status().listeners[0]?.url ?? '')

/**
 * How examples are run: what is put behind their own options, and so counts, to meet the gateway of this test and to end; and the exit
 * code that is right.
 */
interface Stage {
  readonly more?: readonly string[]
  readonly code?: (example: string) => number
  /** it serves until Ctrl-C */
  readonly serves?: boolean
}

const stages: Readonly<Record<string, (example: string) => Stage>> = {
  gateway: () => ({
    more: [
      '--listen',
      '127.0.0.1:0',
      '--store',
      'memory',
      '--no-console',
      '--broker',
      'embedded',
      '--log-format',
      'json',
    ],
    serves: true,
  }),
  forward: (example) => ({
    more: [
      '--log-format',
      'json',
      ...(example.includes('--check') ? ['--to', live.test.url(), '--keepalive', '1s'] : []),
    ],
    // the gateway of this test names no forwarder
    code: () => (example.includes('--check') ? 1 : 0),
    serves: true,
  }),
  init: () => ({ more: ['--yes'] }),
  check: () => ({ code: (example) => (example.includes('--connect') ? 3 : 0) }),
  import: () => ({}),
  reload: () => ({ code: () => 3 }),
  store: (example) => ({ more: example.includes('restore') ? ['--store', 'another'] : [] }),
  demo: () => ({ more: ['--port', '0', '--console', '127.0.0.1:0', '--duration', '1s'] }),
  pub: (example) => ({ more: [...hostOf(example), '--repeat', '1'] }),
  sub: () => ({
    more: ['-h', '127.0.0.1', '-p', gatewayPort(), '--timeout', '300ms'],
    // the gateway has no such predefined topic
    code: (example) => (example.includes('--predefined') ? 1 : 0),
  }),
  discover: (example) => ({
    more: ['--group', '127.255.255.255', ...hostOf(example), '--timeout', '500ms'],
  }),
  decode: () => ({}),
  health: () => ({ more: ['-h', '127.0.0.1', '-p', portOf(live.url)] }),
  top: () => ({ more: ['-h', '127.0.0.1', '-p', portOf(live.url)] }),
  trace: () => ({ more: ['--url', live.url, '--wait', '--duration', '200ms'] }),
  capture: () => ({ more: ['-p', portOf(live.url), '--wait', '--duration', '200ms'] }),
  sensor: (example) => ({
    // this machine has no such device
    code: () => (example.includes('--link') ? 1 : 0),
    more: [
      ...['-p', gatewayPort(), '--duration', example.includes('swarm') ? '3s' : '300ms'],
      ...(example.includes('swarm')
        ? [
            '--sensors',
            '2',
            '--settle',
            '1',
            '--interval',
            '500ms',
            '--verify',
            live.test.gateway.status().broker.url,
          ]
        : []),
    ],
  }),
  completion: () => ({}),
  psk: () => ({}),
}

/** The lines of a help text that show how a command is called, without prompt and remark. */
const examplesIn = (help: string): string[] =>
  help
    .slice(help.search(/^Examples?:$/m))
    .split('\n')
    .slice(1)
    .join('\n')
    .replace(/\n\n[\s\S]*/, '')
    .split('\n')
    .filter((line) => /^ {2}\S/.test(line))
    .map((line) =>
      line
        .trim()
        .replace(/^\$ /, '')
        .replace(/ {4,}.*$/, ''),
    )

const SAMPLES: readonly (readonly [string, string])[] = [
  ...['gateway.conf', 'clients.conf', 'predefinedTopic.conf'].map((name) => [`paho/${name}`, name] as const),
  ['bisquitt/bisquitt.env', 'bisquitt.env'],
  ['emqx/emqx.conf', 'etc/emqx.conf'],
  ['hivemq-edge/config.xml', 'conf/config.xml'],
]

/** The configurations of other gateways, under the names that the examples have. */
function layOutSamples(folder: string): void {
  const samples = join(import.meta.dirname, 'import')
  for (const [from, to] of SAMPLES) {
    mkdirSync(dirname(join(folder, to)), { recursive: true })
    copyFileSync(join(samples, from), join(folder, to))
  }
}

const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'

describe.each(Object.keys(commands))('mqttsn %s --help', (name) => {
  it('tells exit codes, and examples that run as they stand', { timeout: 120_000 }, async () => {
    const { stdout: help, status } = await run([name, '--help'])
    expect(status).toBe(0)
    expect(help).toMatch(/Exit codes?: 0 /)
    const examples = examplesIn(help).filter((line) => line.includes('mqttsn '))
    expect(examples.length).toBeGreaterThan(0)
    const cwd = directoryWith({
      'gateway.config.json': { broker: `mqtt://127.0.0.1:${await freePort()}` },
      'ca.pem': PEM,
      'forward.json': { from: ['udp://127.0.0.1:0'], to: 'udp://127.0.0.1:9' },
      'values.txt': '1\n2\n',
      ...(name !== 'psk' && { 'psk.txt': `meter-17:${KEY}\n` }),
    })
    if (name === 'import') layOutSamples(cwd)
    if (name === 'store') await (await openLmdbStore({ path: join(cwd, 'mqttsn-state') })).close()
    for (const example of examples) {
      const stage = stages[name]?.(example)
      if (stage === undefined) throw new Error(`say here how the examples of ${name} are run`)
      const { code, output } = await play(example, stage, cwd)
      expect(code, `${example}\n${output}`).toBe(stage.code?.(example) ?? 0)
    }
  })
})

/** Runs an example in a shell in which `mqttsn` is the program of this project, and other programs are what this test needs. */
async function play(example: string, { more = [], serves = false }: Stage, cwd: string) {
  const script = `
    mqttsn() { ${serves ? 'exec ' : ''}'${process.execPath}' '${PROGRAM}' "$@" ${more.map((word) => `'${word}'`).join(' ')}; }
    jq() { cat > /dev/null; }; tail() { cat values.txt; }; pidof() { echo 999999999; }
    tshark() { [[ $2 == - ]] && cat > /dev/null || echo 0217; }
    HOME='${cwd}'; mkdir -p ~/.zfunc ~/.config/fish/completions
    set -o pipefail
    ${example}`
  const child = spawn('bash', ['--noprofile', '--norc', '-c', script], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const hear = (chunk: Buffer) => {
    output += chunk
    if (serves && /(?:gateway|forwarder) started/.test(String(chunk))) child.kill('SIGINT')
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}
