// What a broker hung up at, remembered for a while, so that the next of its kind is refused without another break. Who is to blame is
// decided in suspicion.ts.

import type { Uplink } from '../message.ts'
import type { Session } from '../session.ts'
import type { Turn } from '../turn.ts'
import type { Request } from './subscription.ts'

/** One request that was under way when a connection broke; `uplink`, `request`: which, where somebody waits for it. */
export interface Suspect {
  readonly kind: 'publish' | 'subscribe'
  readonly topic: string
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  /** octets of the payload */
  readonly length: number
  readonly uplink?: Uplink
  readonly request?: Request
}

/** How long blame is remembered, milliseconds: the broker's rules may change. */
const MEMORY = 300_000

/** Blame that one session remembers. */
const MOST_BLAMED = 16

/** A SUBSCRIBE as a suspect; its `topic` is the filter. */
export const subscribeSuspect = { kind: 'subscribe', qos: 0, retain: false, length: 0 } as const

/** Remembers what the broker hung up at. */
export function blameSuspect({ link }: Session, suspect: Suspect, { now }: Turn): void {
  const { kind, topic, qos, retain, length } = suspect
  link.hangUps.blamed = [
    ...link.hangUps.blamed.filter(({ until }) => until > now).slice(1 - MOST_BLAMED),
    { kind, topic, qos, retain, length, until: now + MEMORY },
  ]
}

/** A publish as a suspect. */
export const publishSuspect = (uplink: Uplink): Suspect => {
  const { topic, qos, retain, data } = uplink
  return { kind: 'publish', topic, qos, retain, length: data.length, uplink }
}

/** Whether the broker hung up at the like of it not long ago. Cheap where nothing is blamed. */
export const isBlamed = (
  {
    link: {
      hangUps: { blamed },
    },
  }: Session,
  { kind, topic, qos, retain, length }: Suspect,
  now: number,
): boolean =>
  blamed.length > 0 &&
  blamed.some(
    (one) =>
      one.until > now &&
      one.kind === kind &&
      one.topic === topic &&
      one.retain === retain &&
      qos >= one.qos &&
      length >= one.length,
  )
