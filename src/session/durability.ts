// What has to be durable before others are told: for each effect, where it waits and what waits for it [SN-SESS-10]. Pure data.

import { type Packet, type PacketType, ReturnCode } from '../codec/v1/messages.ts'
import type { Effect } from './events.ts'
import { isEnded } from './states.ts'

/** Effects of one session keep their order within a lane: one leads to the sensor, one to the broker. */
export type Lane = 'sensor' | 'broker'

/** How one kind of effect behaves while its session's writes are not durable yet. */
export interface DurabilityRule<E extends Effect = Effect> {
  /** the lane in which it keeps its place; undefined: it is performed at once, whatever waits */
  readonly lane?: Lane
  /**
   * it promises nothing, and goes at once while the store cannot write, also past what waits in its lane; `shared`: the store is a
   * server that others may have meanwhile
   */
  overtakes?(effect: E, shared: boolean): boolean
  /** what is said in its place while the store cannot write; undefined: it waits */
  refusal?(effect: E): E | undefined
  /** somebody learns of it who may then rely on what was written before: it waits until that is durable */
  tells?(effect: E): boolean
  /** it says no more than the effect before it in its lane, which has not left yet: one of them is enough */
  repeats?(effect: E, before: Effect): boolean
  /** it was held until it became durable, and what has happened since makes it void: it is not performed */
  lapses?(effect: E): boolean
  /** it is asked for again after a lost connection to the broker, or has no meaning on another one */
  endsWithConnection?(effect: E): boolean
  /** it is a write that whatever `tells` has to wait for */
  isAwaited?(effect: E): boolean
}

const always = (): boolean => true

/** Nobody relies on these: a repetition after a crash does no harm. */
const harmless: ReadonlySet<PacketType> = new Set<PacketType>(['pingresp', 'willtopicreq', 'willmsgreq'])

/** Whether the sensor may rely on it: not on a refusal, nor on what promises that the broker has something. */
function isPromise({ packet, session, backed }: Extract<Effect, { type: 'send' }>): boolean {
  if (backed) return false
  if (packet.type === 'publish') return packet.qos > 0
  if ('returnCode' in packet && packet.returnCode !== ReturnCode.accepted) return false
  if (packet.type === 'puback') return session?.policy.ack === 'store'
  return !harmless.has(packet.type)
}

/** Whether it is the same request of the gateway again, but for DUP. */
const isSameRequest = (packet: Packet, before: Packet): boolean =>
  packet.type === before.type && 'msgId' in packet && 'msgId' in before && packet.msgId === before.msgId

/** Try later, as far as this message can say so. */
function refusalOf(effect: Extract<Effect, { type: 'send' }>): typeof effect | undefined {
  const { packet } = effect
  return 'returnCode' in packet
    ? { ...effect, packet: { ...packet, returnCode: ReturnCode.congestion } }
    : undefined
}

const rules: { readonly [T in Effect['type']]: DurabilityRule<Extract<Effect, { type: T }>> } = {
  send: {
    lane: 'sensor',
    // a sensor keeps the MsgId of a QoS 1 or 2 PUBLISH, which must not mean another message after a crash
    tells: ({ packet, backed }) =>
      !backed && (packet.type === 'publish' ? packet.qos > 0 : !harmless.has(packet.type)),
    // DISCONNECT has no code to refuse it with, and a sensor that hears nothing goes all the same: it is told where a disk is full
    refusal: refusalOf,
    // a sensor that hears DISCONNECT again, when it is awake since, takes it for an end of its connection
    repeats: ({ packet, peer, repeated }, before) =>
      before.type === 'send' &&
      before.peer.key === peer.key &&
      (packet.type === 'disconnect'
        ? before.packet.type === 'disconnect'
        : repeated === true && isSameRequest(packet, before.packet)),
    overtakes: (effect, shared) => (!shared && effect.packet.type === 'disconnect') || !isPromise(effect),
    // a sensor that has spoken since would take it for an end of what it has begun
    lapses: ({ packet, session }) =>
      packet.type === 'disconnect' &&
      session !== undefined &&
      session.state !== 'asleep' &&
      !isEnded(session),
  },
  connect: { lane: 'broker' },
  attach: {},
  publish: {
    lane: 'broker',
    // the broker must know a repetition after a crash by its packet identifier; of a lost sensor it may be the will
    tells: ({ qos, session }) => qos === 2 || session.state === 'lost',
    overtakes: ({ qos, session }, shared) => qos < 2 && (!shared || session.state !== 'lost'),
    endsWithConnection: ({ qos }) => qos > 0,
  },
  release: { lane: 'broker', tells: always, endsWithConnection: always },
  subscribe: { lane: 'broker' },
  unsubscribe: { lane: 'broker' },
  acknowledge: { lane: 'broker', tells: always, endsWithConnection: always },
  close: {
    lane: 'broker',
    // whoever serves the sensor by now, or after a crash, must know that it was lost before all learn it by the will
    tells: ({ publishWill }) => publishWill,
    overtakes: ({ publishWill }, shared) => publishWill && !shared,
  },
  publishAnonymous: {},
  save: { isAwaited: always },
  saveProgress: { isAwaited: ({ lazy }) => !lazy },
  forget: { isAwaited: always },
  keepMessage: { isAwaited: always },
  dropMessage: {}, // to deliver a message twice does less harm than to wait
  keepUplink: { isAwaited: always },
  dropUplink: { isAwaited: always },
  setAside: {},
  endAtBroker: { lane: 'broker' },
  drop: {},
  refused: {},
  gaveWay: {},
  contested: {},
  changed: {},
  gwinfo: {},
  admit: {},
}

/** The rule of an effect. */
export const durabilityOf = (effect: Effect): DurabilityRule => rules[effect.type] as DurabilityRule
