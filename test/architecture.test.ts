// The shape of the source, checked on its text: who imports whom, what is pure, where each package lives.

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { circlesOf, importGraphOf } from './support/import-graph.ts'
import { codeOf, filesBelow, importsOf, type SourceFile } from './support/source.ts'

/** Which parts (or single files) a part may import; `types` only where nothing is left at run time. */
interface Neighbours {
  readonly values: readonly string[]
  readonly types: readonly string[]
}

const none: Neighbours = { values: [], types: [] }
const both = (...parts: string[]): Neighbours => ({ values: parts, types: parts })
const behindTheGateway = [
  'transport',
  'dtls',
  'upstream',
  'store',
  'sessions',
  'session',
  'codec',
  'config',
  'log',
  'clock',
  'histogram',
  'mqtt-topics',
]

const PARTS: Readonly<Record<string, Neighbours>> = {
  'mqtt-topics': none,
  clock: none,
  histogram: none,
  codec: none,
  session: both('codec', 'mqtt-topics'),
  sessions: both('session', 'codec', 'mqtt-topics'),
  sensor: { values: ['codec', 'dtls'], types: ['codec', 'dtls'] },
  simulation: { values: ['sensor'], types: ['sensor', 'codec'] },
  transport: {
    values: ['codec/v1/messages.ts', 'codec/envelope.ts', 'dtls', 'histogram'],
    types: ['session/peers.ts', 'dtls', 'histogram'],
  },
  dtls: none,
  forwarder: { values: ['codec'], types: ['codec', 'session/events.ts'] },
  upstream: {
    values: ['mqtt-topics'],
    types: ['session/events.ts', 'session/message.ts', 'session/broker/limits.ts'],
  },
  store: {
    values: [
      'session/sparse.ts',
      'clock',
      'session/record.ts',
      'session/uplink/record.ts',
      'session/states.ts',
    ],
    types: ['session', 'sessions/restore.ts'],
  },
  console: both('session/states.ts'),
  page: { values: ['console/states.ts', 'console/contract/docs.ts'], types: ['console'] },
  // what an url of a line says is read in one place
  config: both(
    'mqtt-topics',
    'store/postgres/engine/url.ts',
    'transport/line/url.ts',
    'dtls/slots.ts',
    'dtls/suites.ts',
    'dtls/crypto/chance.ts',
    'dtls/crypto/x509.ts',
  ),
  log: { values: [], types: ['config'] },
  cluster: {
    values: [
      'sessions',
      'session',
      'config/cluster/section.ts',
      'store/store.ts',
      'store/postgres/schema.ts',
      'store/postgres/engine/connection.ts',
    ],
    types: ['sessions', 'session', 'config', 'console/contract/cluster.ts', 'store'],
  },
  gateway: both('console', 'monitor', 'version', 'cluster/hold.ts', ...behindTheGateway),
  monitor: both('gateway', 'console', ...behindTheGateway),
  workers: both('monitor', 'gateway', 'console', 'cluster', ...behindTheGateway),
  version: none,
  library: both('monitor', 'gateway', 'console', 'store', 'codec', 'config', 'log', 'version'),
  cli: both(
    'workers',
    'monitor',
    'gateway',
    'console',
    'forwarder',
    'sensor',
    'simulation',
    'version',
    ...behindTheGateway,
  ),
}

/** Where a package or a system module may be imported. What is not listed is for no part at all, or for every one. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  commander: ['cli'],
  zod: ['config'],
  'jsonc-parser': ['config'],
  yaml: ['config', 'cli/import/bisquitt/bisquitt-settings.ts'],
  // its WebSocket; the books of a swarm; and the demo shows the world beyond the broker
  mqtt: ['upstream/mqtt/streams.ts', 'simulation/swarm/broker-client.ts', 'cli/demo/scene.ts'],
  'mqtt-packet': ['upstream'],
  aedes: ['upstream'],
  lmdb: ['store'],
  pg: ['store/postgres/engine/connection.ts'],
  msgpackr: ['store/postgres/group-statement.ts'],
  pino: ['log'],
  'pino-pretty': ['log'],
  fastify: ['console'],
  '@fastify/swagger': ['console'],
  '@fastify/ajv-compiler': ['console'],
  '@fastify/fast-json-stringify-compiler': ['console'],
  'prom-client': ['console'],
  preact: ['page'],
  uplot: ['page'],
  serialport: ['transport/stream/serialport.ts'],
  '@xmldom/xmldom': ['cli/import/hivemq-edge/read-xml.ts'],
  'node:dgram': ['transport', 'sensor'],
  'node:fs': [
    'config',
    'cli',
    'version',
    'store',
    'cluster/place.ts',
    'transport/udp/proc-table.ts',
    'transport/dtls/key-log.ts',
    'transport/stream/serial.ts',
    'transport/stream/half-open.ts',
    'console/page.ts',
    'console/docs.ts',
  ],
  marked: ['console/docs.ts'],
}

/** Folders that may have more than 14 files, and why. */
const FULL_FOLDERS: Readonly<Record<string, string>> = {
  'src/cli': 'one file for each command, which is found by its name',
}

const PURE = [
  'codec',
  'session',
  'sessions',
  'forwarder',
  'mqtt-topics',
  'cluster/hold.ts',
  'cluster/plan.ts',
  'cluster/judging',
  'cluster/asking/asks.ts',
  'cluster/asking/addresses.ts',
  'cluster/links/frames.ts',
  'cluster/links/clock-offset.ts',
  'transport/line/url.ts',
  'transport/line/parameters.ts',
  'transport/line/pace.ts',
  'transport/tcp-server/calls.ts',
  'store/postgres/engine/url.ts',
]
const PURE_FOLDERS =
  /^src\/(?:transport\/framing|transport\/dialogue|transport\/telnet|upstream\/aggregating\/routing|simulation\/radio)\//
const isPure = (path: string) =>
  isIn(PURE, path) || (PURE_FOLDERS.test(path) && path !== 'src/simulation/radio/run-radio.ts')
/** DTLS is pure but for Node's primitives, which these files give it; only the last of them draws random numbers. */
const CRYPTO = [
  'dtls/crypto/primitives.ts',
  'dtls/crypto/hmac.ts',
  'dtls/crypto/x509.ts',
  'dtls/crypto/chance.ts',
]
const IMPURE =
  /(?<![.\w$])(?:Date|setTimeout|setInterval|setImmediate|queueMicrotask|performance|console|process|globalThis|Buffer|fetch)(?![\w$])|\bMath\s*\.\s*random\b/g

const source = filesBelow('src', ['.ts', '.tsx'])

/**
 * `src/cli.ts` and all in `src/cli/` are the part `cli`; what is not in src/ is a part by its own folder. The console's page
 * runs in a browser: it is a part of its own.
 */
const partOf = (path: string) =>
  path.startsWith('src/console/page/') ? 'page' : (/^(?:src\/)?([^/.]+)/.exec(path)?.[1] ?? '')
const isIn = (places: readonly string[], path: string) =>
  places.some((place) => partOf(path) === place || path === `src/${place}`)

/** `@scope/name/deep/file` belongs to `@scope/name`; system modules count by their first name. */
const packageOf = (from: string) => /^(?:@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from

function ownImports(check: (importer: string, imported: string, typeOnly: boolean) => boolean): string[] {
  return source.flatMap(({ path, text }) =>
    importsOf(text)
      .filter(({ from }) => from.startsWith('.'))
      .map(({ from, typeOnly }) => ({ imported: join(dirname(path), from).replaceAll('\\', '/'), typeOnly }))
      .filter(({ imported, typeOnly }) => !check(path, imported, typeOnly))
      .map(({ imported, typeOnly }) => `${path} imports ${typeOnly ? 'types of ' : ''}${imported}`),
  )
}

const matches = (file: SourceFile, text: string, pattern: RegExp) => [
  ...new Set([...text.matchAll(pattern)].map(([found]) => `${file.path}: ${found}`)),
]

describe('the architecture of src/', () => {
  it('knows every part: a new folder needs a rule here', () => {
    expect([...new Set(source.map(({ path }) => partOf(path)))].filter((part) => !(part in PARTS))).toEqual(
      [],
    )
  })

  it('each part imports only the neighbours it may', () => {
    const wrong = ownImports((importer, imported, typeOnly) => {
      const { values, types } = PARTS[partOf(importer)] ?? none
      return partOf(importer) === partOf(imported) || isIn(typeOnly ? types : values, imported)
    })
    expect(wrong).toEqual([])
  })

  it('imports of our own name a file that exists, with its ending', () => {
    expect(ownImports((_, imported) => existsSync(imported))).toEqual([])
  })

  it('each package has one home', () => {
    const wrong = source.flatMap(({ path, text }) =>
      importsOf(text)
        .map(({ from }) => packageOf(from))
        .filter((name) => !name.startsWith('.'))
        .filter((name) => {
          const homes = HOMES[name]
          return homes === undefined ? !name.startsWith('node:') : !isIn(homes, path)
        })
        .map((name) => `${path} imports ${name}, whose home is ${HOMES[name]?.join(', ') ?? 'nowhere'}`),
    )
    expect(wrong).toEqual([])
  })

  it('codec, session, forwarder and framings are pure: no packages and no system modules', () => {
    const wrong = source
      .filter(({ path }) => isPure(path))
      .flatMap(({ path, text }) =>
        importsOf(text)
          .filter(({ from }) => !from.startsWith('.'))
          .map(({ from }) => `${path} imports ${from}`),
      )
    expect(wrong).toEqual([])
  })

  it('codec, session, forwarder and framings are pure: no clock, no timers, no chance, no process', () => {
    const wrong = source
      .filter(({ path }) => isPure(path))
      .flatMap((file) => matches(file, codeOf(file.text), IMPURE))
    expect(wrong).toEqual([])
  })

  it('dtls is pure: one folder knows the primitives, one file of it draws random numbers', () => {
    const files = source.filter(({ path }) => partOf(path) === 'dtls')
    const foreign = files.flatMap(({ path, text }) =>
      importsOf(text)
        .filter(({ from }) => !from.startsWith('.') && !(from === 'node:crypto' && isIn(CRYPTO, path)))
        .map(({ from }) => `${path} imports ${from}`),
    )
    expect(foreign).toEqual([])
    const chance = /\b(?:random(?:Bytes|UUID|Int|Fill\w*)|getRandomValues|generateKey\w*)\b/g
    const wrong = files.flatMap((file) => {
      // node:crypto wants Buffers, and reading a written date is no clock
      const code = codeOf(file.text).replace(/\bDate\.parse\b/g, '')
      const found = matches(file, isIn(CRYPTO, file.path) ? code.replace(/\bBuffer\b/g, '') : code, IMPURE)
      return file.path === `src/${CRYPTO.at(-1)}` ? found : [...found, ...matches(file, code, chance)]
    })
    expect(wrong).toEqual([])
  })

  it('has no barrels and no drawers for odds and ends', () => {
    const vague = /(?:^|\/)(?:index|utils?|helpers?|common|misc|shared|types)(?:\.tsx?$|\/)/
    expect(source.map(({ path }) => path).filter((path) => vague.test(path))).toEqual([])
  })

  it('has no file over 250 lines', () => {
    const long = source
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > 250)
      .map(({ path, lines }) => `${path}: ${lines} lines`)
    expect(long).toEqual([])
  })

  it('has no folder of more than 14 files', () => {
    const sizes = new Map<string, number>()
    for (const { path } of filesBelow('src', [''])) {
      sizes.set(dirname(path), (sizes.get(dirname(path)) ?? 0) + 1)
    }
    const full = [...sizes].filter(([folder, files]) => files > 14 && !(folder in FULL_FOLDERS))
    expect(full.map(([folder, files]) => `${folder}: ${files} files`)).toEqual([])
  })

  it('every file says in its first line what it is', () => {
    const silent = source.filter(({ text }) => !/^(?:#!.*\n)?\/[/*]/.test(text)).map(({ path }) => path)
    expect(silent).toEqual([])
  })

  it('has no any, no silenced compiler and nothing left to do', () => {
    const wrong = source.flatMap((file) => [
      ...matches(file, codeOf(file.text), /(?<![.\w$])any(?![\w$]|\s*:)/g),
      ...matches(file, file.text, /@ts-(?:ignore|nocheck|expect-error)|\b(?:TODO|FIXME|XXX)\b/g),
    ])
    expect(wrong).toEqual([])
  })
})

describe('the import graph of src/', () => {
  it('has no circles, neither of values nor of types', () => {
    expect(circlesOf(importGraphOf(source))).toEqual([])
  })

  it('would show a circle, file by file', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', ['a']],
      ['d', ['e']],
      ['e', ['d']],
      ['f', ['a', 'f']],
    ])
    expect(circlesOf(graph)).toEqual([
      ['d', 'e'],
      ['a', 'b', 'c'],
    ])
  })

  it('keeps server, store and schema out of the commands that only talk to a gateway', () => {
    const texts = new Map(source.map(({ path, text }) => [path, text]))
    const packagesOf = (entry: string): string[] => {
      const loaded = new Set([entry])
      const packages = new Set<string>()
      for (const path of loaded) {
        for (const { from, typeOnly } of importsOf(texts.get(path) ?? '')) {
          if (typeOnly || from.startsWith('node:')) continue
          if (from.startsWith('.')) loaded.add(join(dirname(path), from))
          else packages.add(packageOf(from))
        }
      }
      return [...packages]
    }
    const start = importsOf(texts.get('src/cli.ts') ?? '').filter(({ from }) => from !== './cli/commands.ts')
    expect(start.map(({ from }) => from).sort()).toEqual([
      './cli/gateway/stop-signals.ts',
      './version.ts',
      'commander',
    ])
    for (const command of ['pub', 'sub', 'discover', 'decode', 'health', 'top', 'trace', 'capture'])
      expect(packagesOf(`src/cli/${command}.ts`), command).toEqual(['commander'])
    expect(packagesOf('src/cli/gateway.ts')).toContain('fastify')
  })

  it('loads DTLS for sensors that use it, and not for the others', () => {
    const sensor = source.filter(({ path }) => partOf(path) === 'sensor')
    const loads = (pattern: RegExp) => sensor.filter(({ text }) => pattern.test(text)).map(({ path }) => path)
    expect(loads(/from '\.\.\/dtls\//)).toEqual(['src/sensor/dtls.ts'])
    expect(loads(/from '\.\/dtls\.ts'/)).toEqual([])
    expect(loads(/import\('\.\/dtls\.ts'\)/)).toEqual(['src/sensor/connection.ts', 'src/sensor/discover.ts'])
  })

  it('loads links between nodes where every node serves its share, and nowhere else', () => {
    const inside = /^src\/(?:cluster\/(?:links|asking)\/|workers\/cluster\/(?!cluster-tenure|router-front))/
    const outside = ownImports(
      (path, imported, typeOnly) => typeOnly || inside.test(path) || !inside.test(imported),
    )
    expect(outside.filter((one) => !one.endsWith('src/workers/cluster/until-quiet.ts'))).toEqual([
      'src/workers/cluster/cluster-tenure.ts imports src/workers/cluster/cluster-links.ts',
    ])
    const tenure = source.find(({ path }) => path === 'src/workers/cluster/cluster-tenure.ts')
    expect(tenure?.text).toMatch(/isShared\(config\)[^;]*import\('\.\/cluster-links\.ts'\)/)
  })

  it('ends in src/: nothing is imported from scripts/, lab/ or test/', () => {
    expect(ownImports((_, imported) => imported.startsWith('src/'))).toEqual([])
  })
})

describe('the reading of source text', () => {
  it('finds every kind of import, and tells types from values', () => {
    const text = [
      "import { a, type B } from './a.ts'",
      "import type { C } from '../c.ts'",
      "import {\n  type D,\n  type E,\n} from './d.ts'",
      "import * as net from 'node:net'",
      "export { f } from './f.ts'",
      "import './side.ts'",
      "const late = await import('mqtt')",
    ].join('\n')
    expect(importsOf(text)).toEqual([
      { from: './a.ts', typeOnly: false },
      { from: '../c.ts', typeOnly: true },
      { from: './d.ts', typeOnly: true },
      { from: 'node:net', typeOnly: false },
      { from: './f.ts', typeOnly: false },
      { from: './side.ts', typeOnly: false },
      { from: 'mqtt', typeOnly: false },
    ])
  })

  it('looks at code only, not at comments, strings or patterns', () => {
    const text = "const a = 'Date' // Date\n/* Date */ const b = /Date/\nconst c = `Date $" + '{Date.now()}`'
    expect(codeOf(text).match(/Date/g)).toHaveLength(1)
    const impure = (code: string) => [...code.matchAll(IMPURE)].map(([found]) => found)
    expect(impure('x.process(); Update; Math.random(); setTimeout(f)')).toEqual(['Math.random', 'setTimeout'])
    expect(packageOf('mqtt/lib/connect/ws')).toBe('mqtt')
    expect(packageOf('node:fs/promises')).toBe('node:fs')
  })
})
