// Draws where the gateway's processor time goes: `npx tsx lab/docs/profile.ts FILE.cpuprofile [SECONDS]` reads a profile that
// `npm run bench -- --profile` wrote, and writes docs/profile.svg from its last seconds.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** What Node.js writes with --cpu-prof, as far as it is needed here. */
export interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: {
      readonly functionName: string
      readonly url: string
      /** of the function's beginning, from 0 */
      readonly lineNumber?: number
      readonly columnNumber?: number
    }
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  /** microseconds since the sample before */
  readonly timeDeltas: readonly number[]
  /** what the system counted for the whole process meanwhile, % of a core: the benchmark adds it */
  readonly busy?: number
}

const FILE = 'docs/profile.svg'
/** The load is steady in these; what is before is start and connecting. */
const LAST_SECONDS = 5
const IDLE = 'idle'
/** Node.js reads from sockets while it counts as idle; the system knows that it was not. */
const OUTSIDE = 'receiving datagrams, other calls outside JavaScript'
const REST = 'the rest of Node.js'

/** Which part a function belongs to: the first that fits its `file function`. What fits none belongs to its caller's. */
const PARTS: readonly (readonly [RegExp, string])[] = [
  [/ \(idle\)$/, IDLE],
  [/ \(garbage collector\)$/, 'garbage collection'],
  [/ \(program\)$/, OUTSIDE],
  [/^node:dgram (?:.*send|.*Send|afterSend)/, 'UDP: sending'],
  [/^node:dgram |\/src\/transport\//, 'UDP: what is done for each datagram received'],
  [/ (?:writev|writeBuffer|writeGeneric|writevGeneric|handleWriteReq)$/, 'TCP: writing'],
  [/ (?:onStreamRead|readStart)$/, 'TCP: reading'],
  [/\/src\/upstream\/|node_modules\/(?:mqtt|mqtt-packet)\//, 'MQTT: packets and connections'],
  [/^node:(?:net|internal\/stream|internal\/streams)/, 'TCP: streams of Node.js'],
  [/\/src\/codec\//, 'MQTT-SN: codec'],
  [/\/src\/session\//, 'MQTT-SN: sessions'],
  [/\/src\/store\/|node_modules\/(?:lmdb|msgpackr|ordered-binary)/, 'store'],
  [/\/src\/gateway/, 'gateway: between these parts'],
  [/\/src\/(?:console|log)|node_modules\/(?:pino|prom-client|fastify)/, 'log, metrics, console'],
  [/^node:internal\/(?:process|timers|async)|^node:timers/, 'timers and queues of Node.js'],
]

/** The same profile with each function in its source file: what ran are bundles, with maps beside them. */
export function atSources(profile: Profile): Profile {
  const maps = new Map<string, SourceMap | undefined>()
  const mapOf = (url: string) => {
    if (!maps.has(url)) {
      const file = url.startsWith('file:') ? `${fileURLToPath(url)}.map` : ''
      maps.set(url, existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, 'utf8'))) : undefined)
    }
    return maps.get(url)
  }
  const nodes = profile.nodes.map((node) => {
    const { url, lineNumber = 0, columnNumber = 0 } = node.callFrame
    const entry = mapOf(url)?.findEntry(lineNumber, columnNumber)
    if (entry === undefined || !('originalSource' in entry)) return node
    return { ...node, callFrame: { ...node.callFrame, url: new URL(entry.originalSource, url).href } }
  })
  return { ...profile, nodes }
}

/** Microseconds per part, largest first, in the last seconds of a profile; without idling. */
export function timeByPart(profile: Profile, seconds = LAST_SECONDS): [string, number][] {
  const { nodes, samples, timeDeltas, busy = 0 } = profile
  const partOf = new Map<number, string>()
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const visit = (id: number, inherited: string) => {
    const node = byId.get(id)
    if (node === undefined) return
    const { url, functionName } = node.callFrame
    const name = `${url} ${functionName}`
    const part = PARTS.find(([pattern]) => pattern.test(name))?.[1] ?? inherited
    partOf.set(id, part)
    for (const child of node.children ?? []) visit(child, part)
  }
  const [root] = nodes
  if (root !== undefined) visit(root.id, REST)
  const times = new Map<string, number>()
  let left = seconds * 1e6
  for (let index = samples.length - 1; index >= 0 && left > 0; index -= 1) {
    const part = partOf.get(samples[index] ?? 0) ?? REST
    // the time until the next sample is this one's
    const time = timeDeltas[index + 1] ?? 0
    left -= time
    if (part !== IDLE) times.set(part, (times.get(part) ?? 0) + time)
  }
  const seen = [...times.values()].reduce((sum, time) => sum + time, 0)
  const unseen = (busy / 100) * (seconds * 1e6 - Math.max(0, left)) - seen
  if (unseen > 0) times.set(OUTSIDE, (times.get(OUTSIDE) ?? 0) + unseen)
  return [...times].sort(([, a], [, b]) => b - a)
}

const WIDTH = 900
const LABEL = 400
const ROW = 26
const TOP = 44

/** Horizontal bars. */
export function drawProfile(parts: readonly (readonly [string, number])[], title: string): string {
  const total = parts.reduce((sum, [, time]) => sum + time, 0)
  const longest = parts[0]?.[1] ?? 1
  const bars = parts.map(([part, time], index) => {
    const y = TOP + index * ROW
    const width = Math.max(1, ((WIDTH - LABEL - 80) * time) / longest)
    const share = ((time * 100) / total).toFixed(1)
    return [
      `<text x="${LABEL - 10}" y="${y + 16}" text-anchor="end">${part}</text>`,
      `<rect x="${LABEL}" y="${y + 3}" width="${width.toFixed(1)}" height="${ROW - 8}" fill="#2a6f97"/>`,
      `<text x="${(LABEL + width + 6).toFixed(1)}" y="${y + 16}">${share} %</text>`,
    ].join('\n')
  })
  const height = TOP + parts.length * ROW + 12
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" ` +
      'font-family="sans-serif" font-size="13" fill="#222">',
    `<title>${title}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="16" y="26" font-size="15" font-weight="bold">${title}</text>`,
    ...bars,
    '</svg>',
    '',
  ].join('\n')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [, , file = '', seconds] = process.argv
  const profile = JSON.parse(readFileSync(file, 'utf8')) as Profile
  const parts = timeByPart(atSources(profile), seconds === undefined ? LAST_SECONDS : Number(seconds))
  writeFileSync(FILE, drawProfile(parts, 'Processor time of the gateway by part: QoS 1 uplink, 500 sensors'))
}
