// Sessions, messages and publishes for tests of stores, with something in every field that is stored.

import type { QueuedMessage, Uplink } from '../../src/session/message.ts'
import type { Env } from '../../src/session/policy.ts'
import { createSession, type Session } from '../../src/session/session.ts'
import type { Slots, Store, StoredSession } from '../../src/store/store.ts'

const predefined = { byId: new Map<number, string>(), byName: new Map<string, number>() }
const queue = { messages: 10, octets: 10_000, age: 1000, overflow: 'drop-oldest', qos0: true } as const

/** What `createSession` needs of its surroundings. */
const env: Pick<Env, 'policyFor' | 'random'> = {
  policyFor: () => ({
    denied: false,
    mayComeFrom: () => true,
    mayBe: () => true,
    asleepConnect: 'strict',
    reRegister: 'ifUnconfirmed',
    predefined,
    queueFor: () => queue,
    messagesPerWake: 10,
    ack: 'store',
    spool: { messages: 10, octets: 10_000, age: Number.POSITIVE_INFINITY, qos0: false },
  }),
  random: () => 0.5,
}

export const sessionOf = (clientId: string): Session => createSession(clientId, env as Env)

/** All that the store gives. */
export async function loaded(store: Store, slots?: Slots): Promise<StoredSession[]> {
  const sessions: StoredSession[] = []
  for await (const piece of store.load(slots)) sessions.push(...piece)
  return sessions
}

/** A publish that is kept; asks again while it is on its way. */
export async function uplinkIn(store: Store, clientId: string, token: number): Promise<Uplink | string> {
  for (;;) {
    const found = store.readUplink(clientId, token)
    if (found !== 'soon') return found
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** A session with a past. */
export function richSession(clientId: string): Session {
  const session = sessionOf(clientId)
  const now = performance.now()
  session.state = 'asleep'
  session.established = true
  session.cleanSession = false
  session.keepAlive = 300
  session.sleep = 3600
  session.heardAt = now - 5000
  session.endedAt = now - 60_000
  session.downlink.releasing = 77
  for (const packetId of [1, 65_535]) session.downlink.received.add(packetId)
  session.link.nextToken = 12
  session.downlink.nextMessage = 34
  session.will = { topic: { name: 'wills/ä', qos: 1, retain: true }, message: Uint8Array.of(0, 255, 7) }
  for (const [id, name] of [
    [1, 'a/b'],
    [65_534, 'ünïcode/✓'],
  ] as const) {
    session.topics.byId.set(id, name)
    session.topics.byName.set(name, id)
    session.topics.learned.add(id)
  }
  session.topics.confirmed.add(1)
  session.topics.suppressed.add('no/thanks')
  session.topics.isSecondRound = true
  session.topics.unconfirmed.add(65_534)
  session.source = '10.1.2.3'
  session.link.owesFarewell = true
  session.subscriptions.set('a/#', { qos: 2, topicIdType: 'normal', topicId: 0 })
  session.subscriptions.set('xy', { qos: 0, topicIdType: 'short', topicId: 0x7879 })
  session.peer = {
    key: 'k',
    listener: { name: 'hall', maxMessage: 255, roaming: 'port' },
    address: '10.1.2.3',
    local: '10.1.2.1',
    port: 4711,
    nodeId: Uint8Array.of(9, 8),
    association: { number: 77, identity: 'meter 1', kind: 'certificate' },
  }
  return session
}

export function messageOf(id: number, more: Partial<QueuedMessage> = {}): QueuedMessage {
  return {
    id,
    topic: `to/sensor/${id}`,
    payload: Uint8Array.of(1, 2, id & 0xff),
    qos: 1,
    retain: false,
    expiresAt: undefined,
    at: performance.now() - 1000,
    sent: false,
    repaired: false,
    ...more,
  }
}

export function uplinkOf(token: number, more: Partial<Uplink> = {}): Uplink {
  return {
    token,
    msgId: token + 100,
    qos: 1,
    topicIdType: 'normal',
    topicId: 5,
    topic: `from/sensor/${token}`,
    retain: true,
    data: Uint8Array.of(3, 4, token & 0xff),
    at: performance.now() - 2000,
    stored: true,
    broker: 'waiting',
    repeated: false,
    sensor: 'answered',
    deadline: performance.now() + 5000,
    retryAt: 0,
    ...more,
  }
}
