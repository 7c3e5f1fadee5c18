// Whatever sensors, the broker and the clock do: what holds in every case.

import fc from 'fast-check'
import { it } from 'vitest'
import { encodeFrame } from '../../src/codec/v1/frame.ts'
import type { PacketType, Publish } from '../../src/codec/v1/messages.ts'
import { isTopicFilter, isTopicName } from '../../src/mqtt-topics.ts'
import { queuedSize } from '../../src/session/downlink/queue.ts'
import type { Effect } from '../../src/session/events.ts'
import type { Peer } from '../../src/session/peers.ts'
import type { Policy } from '../../src/session/policy.ts'
import type { Session } from '../../src/session/session.ts'
import type { State } from '../../src/session/states.ts'
import { anyStep, settleDown, take } from '../support/hostile.ts'
import { unasked } from '../support/patient.ts'
import { Promises } from '../support/promises.ts'
import { type Cause, World } from '../support/world.ts'

type Send = Effect & { type: 'send' }
type Owners = ReadonlyMap<Peer['key'], Session>

const LINK = 60
const DAY = 86_400_000
const limits = {
  sensors: 3,
  topicsPerSensor: 6,
  subscriptionsPerSensor: 4,
  queuedMessages: 6,
  queuedOctets: 200,
  totalQueuedMessages: 10,
  totalQueuedOctets: 300,
  inflight: 3,
}
const policies: Record<string, Partial<Policy>> = {
  b: { asleepConnect: 'resume', reRegister: 'always' },
  c: { reRegister: 'never', ack: 'store', spool: { messages: 4, octets: 100, age: 3_600_000, qos0: true } },
}
const timers = { inactivity: 3_600_000, reconnectMax: 3_600_000 }

/** Between CONNECT and CONNACK a sensor gets nothing else. */
const setup: ReadonlySet<PacketType> = new Set(['willtopicreq', 'willmsgreq', 'connack', 'disconnect'])

const isSetup = (state: State) => state === 'willtopic' || state === 'willmsg' || state === 'connecting'
const isEnded = (state: State) => state === 'disconnected' || state === 'lost'
const octetsOf = ({ packet, peer }: Send) => encodeFrame(packet, peer.nodeId).length

// vitest's `expect` is too slow for so many checks.
function must(holds: boolean, what: () => string): void {
  if (!holds) throw new Error(`broken: ${what()}`)
}

function same(found: unknown, wanted: unknown, what: string): void {
  must(found === wanted, () => `${what} is ${String(found)}, not ${String(wanted)}`)
}

function atMost(found: number, limit: number, what: string): void {
  must(found <= limit, () => `${what} is ${found}, above ${limit}`)
}

/** A world in which every event is checked; two sensors share an IP address, two a forwarder. */
function strictWorld() {
  const predefined = { 7: 'pre/seven' }
  const policy = (clientId: string) => ({ messagesPerWake: 3, ...policies[clientId] })
  const world = new World({ limits, timers, maxMessage: LINK, roaming: 'any', predefined, policy })
  const sensors = [
    world.sensor('10.0.0.1', 5000),
    world.sensor('10.0.0.1', 5001),
    world.sensor('10.0.0.2', 5000, Uint8Array.of(1)),
    world.sensor('10.0.0.2', 5000, Uint8Array.of(2, 3)),
  ]
  /** as of the last event */
  const owners = new Map<Peer['key'], Session>()
  const states = new Map<Session, State>()
  const promises = new Promises(world)
  world.watch = (cause, effects) => {
    promises.check(cause, effects)
    checkEffects(cause, effects, owners, states)
    checkSize(cause, effects, owners, world)
    owners.clear()
    for (const [key, session] of world.sessions.byPeer) {
      owners.set(key, session)
      states.set(session, session.state)
    }
    checkSessions(world)
  }
  return { world, sensors }
}

function checkEffects(
  cause: Cause,
  effects: readonly Effect[],
  owners: Owners,
  states: Map<Session, State>,
): void {
  for (const effect of effects) {
    if (effect.type === 'changed') states.set(effect.session, effect.to)
    if (effect.type === 'publish' || effect.type === 'publishAnonymous') {
      must(isTopicName(effect.topic), () => `publishes to ${effect.topic}`)
    }
    if (effect.type === 'subscribe') must(isTopicFilter(effect.filter), () => `subscribes ${effect.filter}`)
    if (effect.type !== 'send') continue
    const { packet, peer } = effect
    atMost(octetsOf(effect), LINK, `the length of ${packet.type}`)
    if (packet.type === 'publish') checkPublish(packet)
    if (packet.type === 'register') must(isTopicName(packet.topicName), () => `registers ${packet.topicName}`)
    const owner = owners.get(peer.key)
    const state = owner && states.get(owner)
    const isAnswer = 'packet' in cause && cause.peer.key === peer.key
    if (state === 'asleep') checkQuiet(packet.type, isAnswer)
    if (state !== undefined && isSetup(state)) {
      must(setup.has(packet.type), () => `${packet.type} before CONNACK`)
    }
  }
}

function checkPublish({ qos, msgId, topicIdType }: Publish): void {
  must(qos >= 0 && topicIdType !== 'reserved', () => 'sends what only sensors may send')
  same(msgId === 0, qos === 0, 'whether MsgId is 0')
}

/** A sleeping sensor gets late answers to its own messages, and nothing else. */
function checkQuiet(type: PacketType, isAnswer: boolean): void {
  must(!unasked.has(type), () => `${type} to a sleeping sensor`)
  must(isAnswer || (type !== 'disconnect' && type !== 'connack'), () => `${type} to a sleeping sensor`)
}

/** All that a sender without a connection gets for a message is no longer than the message. */
function checkSize(cause: Cause, effects: readonly Effect[], owners: Owners, world: World): void {
  if (!('packet' in cause)) return
  const { packet, peer } = cause
  if (owners.has(peer.key) || world.sessions.byPeer.has(peer.key)) return
  let octets = 0
  for (const effect of effects) {
    if (effect.type === 'send' && effect.peer.key === peer.key) octets += octetsOf(effect)
  }
  atMost(octets, encodeFrame(packet, peer.nodeId).length, 'the answer to a stranger')
}

function checkSessions(world: World): void {
  const { byPeer, byClientId } = world.sessions
  for (const [key, session] of byPeer) {
    same(session.peer?.key, key, 'the address of a session')
    same(byClientId.get(session.clientId), session, 'the session at an address')
  }
  atMost(byClientId.size, limits.sensors, 'sensors')
  let messages = 0
  let octets = 0
  /** sizes of what is on its way to a sensor, which needs no room in the totals */
  const delivered: number[] = []
  for (const [clientId, session] of byClientId) {
    same(session.clientId, clientId, 'ClientId')
    same(session.peer === undefined, isEnded(session.state), `${session.state} without an address`)
    if (session.peer !== undefined) same(byPeer.get(session.peer.key), session, 'the session of its address')
    messages += session.downlink.queue.length
    octets += session.downlink.octets
    checkBounds(session)
    checkMsgIds(session)
    checkDeadline(session)
    const head = session.downlink.outstanding && session.downlink.queue[0]
    if (head !== undefined) delivered.push(queuedSize(head))
  }
  same(world.totals.queuedMessages, messages, 'the total of messages')
  same(world.totals.queuedOctets, octets, 'the total of octets')
  const free = delivered.reduce((sum, size) => sum + size, 0)
  atMost(messages - delivered.length, limits.totalQueuedMessages, 'the total of messages')
  atMost(octets - free, limits.totalQueuedOctets, 'the total of octets')
}

function checkBounds({ downlink, topics, subscriptions, uplink, subscribing }: Session): void {
  const { queue } = downlink
  const octets = queue.reduce((sum, message) => sum + queuedSize(message), 0)
  same(downlink.octets, octets, 'octets in the queue')
  atMost(octets, limits.queuedOctets, 'octets in the queue')
  atMost(queue.length, limits.queuedMessages, 'messages in the queue')
  atMost(topics.byName.size, limits.topicsPerSensor, 'topics')
  same(topics.byId.size, topics.byName.size, 'topic ids')
  atMost(subscriptions.size, limits.subscriptionsPerSensor, 'subscriptions')
  atMost(uplink.open.size, limits.inflight, 'PUBLISHes under way')
  atMost(subscribing.requests.size, limits.inflight, 'requests under way')
}

/** The gateway's own MsgIds: never 0, each for one message. */
function checkMsgIds({ downlink: { outstanding, queue, releasing } }: Session): void {
  const asked = outstanding?.packet
  const ids = queue.map(({ id }) => id)
  same(new Set(ids).size, ids.length, 'different messages')
  const head = queue[0] && 1 + ((queue[0].id - 1) % 0xffff)
  if (asked?.type === 'register') same(asked.msgId, head, 'MsgId of REGISTER')
  if (asked?.type === 'publish') same(asked.msgId, head, 'MsgId of PUBLISH')
  if (asked?.type === 'pubrel') same(asked.msgId, releasing, 'MsgId of PUBREL')
  must(releasing === undefined || releasing !== head, () => 'the MsgId of PUBREL is that of the next message')
}

/** Whatever is waited for ends at some time. */
function checkDeadline(session: Session): void {
  const { subscribing, uplink, state, link, wakeAt } = session
  const { outstanding, paused } = session.downlink
  const waits =
    isSetup(state) ||
    (outstanding !== undefined && !paused) ||
    subscribing.requests.size > 0 ||
    [...uplink.open.values()].some(({ broker }) => broker === 'waiting') ||
    link.state === 'closed'
  const isForPerson = isEnded(state) && uplink.dead.size > 0
  must(!waits || isForPerson || Number.isFinite(wakeAt), () => `${state} waits for ever`)
}

it('keeps all limits, counts and promises whatever happens, crashes included [SN-ROB-1, SN-ROB-3, SN-SLP-1, SN-GPUB-10, SN-CONN-14]', () => {
  const life = fc.tuple(fc.boolean(), fc.array(anyStep(4), { maxLength: 100, size: 'max' }))
  const isSound = fc.property(life, ([calm, steps]) => {
    const { world, sensors } = strictWorld()
    if (calm) settleDown(sensors)
    for (const step of steps) take(step, world, sensors)
    world.broker.answers = true // an attempt is always answered in the end
    world.advance(40 * DAY)
    // whoever is still there has dead letters, which wait for a person
    for (const session of [...world.sessions.byClientId.values()]) {
      must(session.uplink.dead.size > 0, () => `${session.clientId} is still there`)
      world.happen(session, { type: 'command', command: 'discardDeadLetters' })
    }
    world.advance(40 * DAY)
    same(world.sessions.byClientId.size, 0, 'sessions in the end')
    same(world.sessions.byPeer.size, 0, 'addresses in the end')
    same(world.totals.queuedMessages + world.totals.queuedOctets, 0, 'the queue in the end')
    same(world.store.disk.size, 0, 'what is stored in the end')
  })
  fc.assert(isSound, { numRuns: 2000, seed: 12 }) // the same lives every time, so that it is never by chance
})
