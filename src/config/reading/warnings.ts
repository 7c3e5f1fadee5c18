// What is legal but unwise in a configuration. No text here quotes a value: it may have come from a secret.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these variables are filled in by the gateway

import { type EngineHost, readEngineUrl } from '../../store/postgres/engine/url.ts'
import { lineIn, usualSpeed } from '../../transport/line/url.ts'
import { isEverywhere, readLinkUrl } from '../cluster/section.ts'
import { isTls } from '../contradictions/contradictions.ts'
import { coversPattern } from '../hints/patterns.ts'
import { unusedWarnings } from '../hints/unused.ts'
import type { Config, QueueRule, SensorRule } from '../schema.ts'
import { brokerUrls, parseBrokerUrl, parseListenerUrl } from '../sections/addresses.ts'
import { matchesEverything } from '../sections/glob.ts'
import { isLoopback } from '../sections/networks.ts'
import { peerMatcher } from '../sections/peers.ts'

const ADVERTISE_LEAST = 15 * 60_000

function* listenerWarnings(config: Config): Generator<string> {
  const everything = config.qosMinusOne.enabled && config.qosMinusOne.topics.includes('#')
  for (const [i, listener] of config.listeners.entries()) {
    const path = `listeners[${i}]`
    const advertise = listener.discovery?.advertise ?? 0
    if (advertise > 0 && advertise < ADVERTISE_LEAST) {
      yield `${path}.discovery.advertise: less than the 15 minutes that the specification asks for [7.2]`
    }
    const anyone = ['1.1.1.1', '2606::1'].some((one) => peerMatcher(listener.forwarders)(one))
    if (anyone) yield `${path}.forwarders: every address may speak for every node`
    const address = parseListenerUrl(listener.url)?.address
    const open = listener.allow.length === 0 && address !== undefined && !isLoopback(address)
    const stream = lineIn(listener.url)?.stream
    if (stream?.kind === 'serial' && /^\/dev\/tty(USB|ACM)\d/.test(stream.device))
      yield `${path}.url: after a replug this name may be that of another device; the one in /dev/serial/by-id stays`
    const slow = isSlow(listener, config.timers.tRetry)
    if (slow) yield `${path}.${listener.pace === undefined ? 'url' : 'pace'}: ${SLOW}`
    if (open && everything) {
      yield `${path}: anyone who reaches it may publish to every topic without connecting; set "allow", or narrow or disable qosMinusOne`
    }
    if (open && listener.roaming === 'any') {
      yield `${path}.roaming: with "any", whoever knows a ClientId can take over that sensor's session from anywhere`
    }
  }
}

const SLOW =
  'so slow that messages are repeated before they can be answered; set a smaller maxMessageSize, or a longer timers.tRetry'

/** A message and its answer take longer than sensors and gateway wait before they repeat themselves. */
function isSlow({ url, pace, maxMessageSize }: Config['listeners'][number], tRetry: number): boolean {
  const usual = usualSpeed(url)
  const rate = pace?.octetsPerSecond ?? usual.rate
  if (rate === undefined) return false
  const confirm = usual.confirm === undefined ? 0 : (pace?.confirm ?? usual.confirm)
  return tRetry < (2000 * maxMessageSize) / rate + confirm
}

/** Whether sensors are known at the broker by the ClientId that they choose themselves, and can choose that of any client there. */
const isUnmarked = ({ clientId, deny }: SensorRule): boolean => !deny && clientId === '${clientId}'

function* nameWarnings({ listeners, broker, sensors }: Config): Generator<string> {
  const isClosed = listeners.every(({ url }) => isLoopback(parseListenerUrl(url)?.address ?? ''))
  if (isClosed || broker.url === 'embedded') return
  const last = sensors.findIndex((rule) => matchesEverything(rule.match))
  for (const [i, rule] of sensors.slice(0, last < 0 ? undefined : last + 1).entries()) {
    if (!isUnmarked(rule) || !hasWildcard(rule.match)) continue
    yield `sensors[${i}].clientId: a sensor can take the ClientId of any other client of the broker, and with it that client's connection and messages; give sensors a prefix such as "sn-\${clientId}", unless the broker serves sensors only or checks who may have which ClientId`
  }
}

const hasWildcard = (match: string): boolean => /[*?]/.test(match)

function* brokerWarnings({ broker, sensors }: Config): Generator<string> {
  if (broker.tls?.verify === false) yield 'broker.tls.verify: false lets anyone pose as the broker'
  const urls = brokerUrls(broker)
  if (broker.tls && !urls.some(isTls))
    yield 'broker.tls: has no effect, as broker.url is neither mqtts:// nor wss://'
  const isOpen = (url: string) => !isTls(url) && !isLoopback(parseBrokerUrl(url)?.host ?? 'localhost')
  const passwords = Boolean(broker.password) || sensors.some((rule) => rule.password)
  if (passwords && urls.some(isOpen)) {
    yield 'broker.url: passwords cross the network unencrypted; use mqtts:// or wss://'
  }
}

function* ruleWarnings({ sensors, predefined, log }: Config): Generator<string> {
  const last = sensors.findIndex((rule) => matchesEverything(rule.match))
  if (last < sensors.length - 1) {
    yield `sensors[${last + 1}]: never used, as sensors[${last}] fits every ClientId; order rules from special to general`
  }
  for (const [i, { topics }] of predefined.entries()) {
    const ids = new Map<string, string>()
    for (const [id, topic] of Object.entries(topics)) {
      const other = ids.get(topic)
      if (other !== undefined) yield `predefined[${i}].topics: ids ${other} and ${id} name the same topic`
      else ids.set(topic, id)
    }
  }
  if (log.payloads) yield 'log.payloads: the log may hold confidential contents of messages'
}

function* engineWarnings({ store: { type, url, password } }: Config): Generator<string> {
  const read = type === 'postgres' && url !== undefined ? readEngineUrl(url) : undefined
  if (read === undefined || 'expected' in read) return
  const { hosts, tls } = read
  if (hosts.every(isHere)) return
  if (tls.mode === 'disable') {
    const what = password === undefined ? 'messages cross' : 'the password and messages cross'
    yield `store.url: ${what} the network unencrypted; add ?sslmode=verify-full`
  } else if (tls.mode === 'require' && tls.rootCert === undefined)
    yield 'store.url: sslmode=require lets anyone pose as the database server; write verify-full'
}

/** Whether a database server is on this machine. */
const isHere = ({ host }: EngineHost): boolean => host.startsWith('/') || isLoopback(host)

/** Milliseconds in which another node has taken over and has connected all sensors again. */
const TAKEOVER = 30_000

function* clusterWarnings({ cluster, broker, store, timers }: Config): Generator<string> {
  if (cluster === undefined) return
  if (cluster.listen !== undefined && cluster.hold >= timers.tRetry)
    yield 'cluster.hold: not below timers.tRetry, so that an old copy of a message may arrive after its repetition'
  const told = readLinkUrl(cluster.advertise ?? cluster.listen ?? '')
  const engine = readEngineUrl(store.url ?? '')
  if (told !== undefined && isEverywhere(told.host) && 'hosts' in engine && engine.hosts.every(isHere))
    yield 'cluster.advertise: other nodes would be told an address of this machine alone, as the database is reached by one; write the address at which they reach this node'
  if (broker.url === 'embedded')
    yield 'broker.url: "embedded" ends with the node that serves; several gateways need a broker of their own'
  else if (broker.version === '3.1.1')
    yield 'broker.version: an MQTT 3.1.1 broker publishes the wills of all sensors when a node dies; MQTT 5 waits for the next node'
  if (broker.absence < TAKEOVER)
    yield 'broker.absence: below 30 s the broker may publish wills of sensors before another node has connected them again'
}

function* storeWarnings({ sensors, queues, store, limits }: Config): Generator<string> {
  for (const [i, { ack, spool }] of sensors.entries()) {
    if (ack === 'store' && store.type === 'memory')
      yield `sensors[${i}].ack: "store" promises nothing across a crash or a restart, as store.type is "memory"`
    if (ack === 'broker' && spool.qos0) yield `sensors[${i}].spool.qos0: has no effect, as ack is "broker"`
  }
  for (const [i, later] of queues.entries()) {
    if ((later.messages ?? 0) > limits.queuedMessages)
      yield `queues[${i}].messages: has no effect beyond limits.queuedMessages, which counts all messages for a sensor`
    if ((later.octets ?? 0) > limits.queuedOctets)
      yield `queues[${i}].octets: has no effect beyond limits.queuedOctets, which counts all messages for a sensor`
    const first = queues.findIndex((earlier) => covers(earlier, later))
    if (first < i)
      yield `queues[${i}]: never used, as queues[${first}] fits all that it fits; order rules from special to general`
  }
}

/** Whether the first rule fits whatever the second fits; found only in the plain cases that happen by mistake. */
function covers(first: QueueRule, second: QueueRule): boolean {
  if (!coversPattern(first.match, second.match)) return false
  return first.topics.includes('#') || second.topics.every((filter) => first.topics.includes(filter))
}

/** What is legal but unwise, one line each. */
export const warningsOf = (config: Config): string[] => [
  ...listenerWarnings(config),
  ...brokerWarnings(config),
  ...nameWarnings(config),
  ...ruleWarnings(config),
  ...storeWarnings(config),
  ...engineWarnings(config),
  ...clusterWarnings(config),
  ...unusedWarnings(config),
]
