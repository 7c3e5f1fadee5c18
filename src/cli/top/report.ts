// A gateway at a glance: its counters and rates, and a table of its sensors, as lines of text.

import type { ClusterInfo, ClusterMember } from '../../console/contract/cluster.ts'
import type { SensorSummary } from '../../console/contract/sensors.ts'
import { escapeControls } from '../running/api.ts'
import { type Paint, stateStyle } from '../terminal/paint.ts'
import { amount, size, span } from '../terminal/quantities.ts'
import type { Snapshot } from './look.ts'

/** The lines above the table; rates only if there is an earlier snapshot. */
export function overview(now: Snapshot, earlier: Snapshot | undefined, paint: Paint): string[] {
  const { gateway, broker, listeners } = now
  const { counters, sensors } = gateway
  const rate = (figure: (snapshot: Snapshot) => number, unit: (number: number) => string = perSecond) =>
    earlier === undefined || earlier.at >= now.at
      ? undefined
      : `${unit(((figure(now) - figure(earlier)) * 1000) / (now.at - earlier.at))}/s`
  const flow = (direction: 'received' | 'sent') => {
    const rates = [
      rate(({ gateway }) => gateway.counters[`${direction}Datagrams`]),
      rate(({ gateway }) => gateway.counters[`${direction}Octets`], size),
    ].filter((each) => each !== undefined)
    return `${counters[`${direction}Datagrams`]}${rates.length === 0 ? '' : ` (${rates.join(', ')})`}`
  }
  const messages = (kind: 'published' | 'delivered') => {
    const passed = rate(({ gateway }) => gateway.counters[kind])
    return `${kind} ${counters[kind]}${passed === undefined ? '' : ` (${passed})`}`
  }
  const total = Object.values(sensors).reduce((sum, number) => sum + number, 0)
  const states = Object.entries(sensors)
    .filter(([, number]) => number > 0)
    .map(([state, number]) => paint(stateStyle(state), `${number} ${escapeControls(state)}`))
  const drops = Object.entries(counters.dropped).filter(([, number]) => number > 0)
  const dropped = drops.reduce((sum, [, number]) => sum + number, 0)
  // an older gateway counts none
  const refusals = Object.entries(counters.refusals ?? {}).filter(([, number]) => number > 0)
  const refused = refusals.map(([why, number]) => `${number} ${escapeControls(why)}`).join(', ')
  const waiting = `${gateway.queuedMessages} waiting (${size(gateway.queuedOctets)})`
  return [
    `${paint('bold', `MQTT-SN gateway ${gateway.gwId}`)}, version ${escapeControls(gateway.version)}, up ${span(now.at - gateway.startedAt)}`,
    `broker     ${aboutBroker(broker, paint)}`,
    ...(now.cluster === undefined ? [] : aboutNodes(now.cluster, paint)),
    ...listeners.map((listener) => `listener   ${aboutListener(listener, paint)}`),
    `datagrams  in ${flow('received')}, out ${flow('sent')}, ${counters.retransmissions} repeated`,
    `messages   ${messages('published')}, ${messages('delivered')}, ${waiting}`,
    `dropped    ${[dropped, drops.map(([why, number]) => `${number} ${escapeControls(why)}`).join(', ')].filter((part) => part !== '').join(': ')}`,
    ...(refused === '' ? [] : [`refused    ${refused}`]),
    ...(counters.faults === 0
      ? []
      : [`faults     ${paint('red', `${counters.faults}: please report them`)}`]),
    `sensors    ${[total, states.join(', ')].filter((part) => part !== '').join(': ')}`,
  ]
}

function aboutBroker(broker: Snapshot['broker'], paint: Paint): string {
  const { url, healthy, trouble, version, connected, connecting, waiting, refused, lost } = broker
  const state = healthy
    ? paint('green', 'up')
    : paint('red', trouble === undefined ? 'away' : `refuses: ${escapeControls(trouble)}`)
  const counts = { connecting, waiting, refused, lost }
  const notable = Object.entries(counts).filter(([, number]) => number > 0)
  return [
    `${escapeControls(url)} ${state}${version === undefined ? '' : ` (MQTT ${escapeControls(version)})`}`,
    amount(connected, 'connection'),
    ...notable.map(([what, number]) => `${number} ${what}`),
  ].join(', ')
}

/** The nodes that are one gateway, and what is wrong between them. */
function aboutNodes({ node, members, owners, links, engine }: ClusterInfo, paint: Paint): string[] {
  const state = ({ state, slots, isSelf }: ClusterMember) => {
    const words = {
      active: paint('green', amount(slots, 'slot')),
      standby: 'stands by',
      draining: paint('yellow', 'stops'),
      deposed: paint('red', 'gone'),
    }
    return isSelf ? `${words[state]} (asked here)` : words[state]
  }
  const nodes = members.map((member) => `${escapeControls(member.node)} ${state(member)}`)
  const down = links?.nodes.filter(({ isUp }) => !isUp) ?? []
  const nobodys = owners.filter((place) => place < 0).length
  const troubles = [
    ...down.map((link) => `no link from ${escapeControls(node)} to ${escapeControls(link.node)}`),
    ...(nobodys > 0 ? [`${amount(nobodys, 'slot')} served by nobody`] : []),
    ...(engine.up ? [] : ['the database does not answer']),
    ...(engine.replicated === false ? ['the database keeps what it acknowledges on one machine'] : []),
  ]
  return [
    `nodes      ${nodes.join(', ')}`,
    ...troubles.map((trouble) => `           ${paint('red', trouble)}`),
  ]
}

function aboutListener(listener: Snapshot['listeners'][number], paint: Paint): string {
  const { name, url, receiveBuffer, kernelDrops = 0, sendErrors } = listener
  const losses = [
    ...(kernelDrops > 0 ? [`${amount(kernelDrops, 'datagram')} lost to a full receive buffer`] : []),
    ...(sendErrors > 0 ? [`${amount(sendErrors, 'send error')}`] : []),
  ]
  const facts = [
    escapeControls(name === url ? url : `${name} ${url}`),
    `receive buffer ${size(receiveBuffer)}`,
  ]
  return [...facts, ...losses.map((loss) => paint('red', loss))].join(', ')
}

const COLUMNS = ['sensor', 'state', 'address', 'heard', 'topics', 'subs', 'waiting', 'broker'] as const
/** of several nodes the one that serves it */
const WITH_NODE = [...COLUMNS, 'node'] as const
const NUMBERS = new Set<string>(['heard', 'topics', 'subs', 'waiting'])

/** The sensors as a table, its first line the names of the columns. `width` cuts every line. */
export function sensorTable(
  items: readonly SensorSummary[],
  at: number,
  paint: Paint,
  width = Number.POSITIVE_INFINITY,
): string[] {
  const columns = items.some(({ node }) => node !== undefined) ? WITH_NODE : COLUMNS
  const rows = items.map((sensor) => cellsOf(sensor, at))
  const widths = columns.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    columns
      .map((name, column) => {
        const cell = cells[column] ?? ''
        return NUMBERS.has(name) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)
      })
      .join('  ')
      .trimEnd()
  const start = (widths[0] ?? 0) + 2
  const body = rows.map((row) => {
    const text = cutText(line(row), width)
    const state = row[1] ?? ''
    const end = start + state.length
    return text.slice(0, start) + paint(stateStyle(state), text.slice(start, end)) + text.slice(end)
  })
  return [paint('dim', cutText(line(columns), width)), ...body]
}

function cellsOf(sensor: SensorSummary, at: number): string[] {
  const { clientId, state, address, heardAt, topics, subscriptions, queued, upstream, node = '' } = sensor
  const heard = heardAt === undefined ? '-' : ago(at - heardAt)
  const numbers = [heard, String(topics), String(subscriptions), String(queued)]
  return [clientId, state, address ?? '-', ...numbers, upstream, node].map(escapeControls)
}

/** Whole seconds: tenths would change at every refresh. */
const ago = (milliseconds: number): string =>
  milliseconds < 60_000 ? `${Math.max(0, Math.floor(milliseconds / 1000))} s` : span(milliseconds)

const perSecond = (number: number): string => (number >= 99.95 ? number.toFixed(0) : number.toFixed(1))

/** A plain text, or its beginning and an ellipsis. */
export const cutText = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text
