// What of a gateway's moves is an event that people want to know of.

import { docsOf } from '../console/contract/docs.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { DROPPED } from '../gateway/reports/dropped-messages.ts'
import { EXPLANATIONS } from '../gateway/reports/refusal-texts.ts'
import type { Effect } from '../session/events.ts'
import { describePeer } from '../session/peers.ts'
import type { Refusal, RefusalReason } from '../session/refusal.ts'
import type { Happenings } from './happenings.ts'

/** Refusals that pass by themselves, and of which the broker or the gateway itself is told: no events of their own. */
const PASSING: ReadonlySet<RefusalReason> = new Set([
  'stopping',
  'broker-unavailable',
  'overloaded',
  'store-failing',
  'congestion',
])

/** Notes them until the returned function is called. */
export function noteGatewayHappenings(gateway: Gateway, happenings: Happenings): () => void {
  return gateway.observe({
    refused: (refusal) => noteRefusal(happenings, refusal),
    effect(effect) {
      if (effect.type === 'changed') noteChange(happenings, effect)
      else if (effect.type === 'contested') noteContest(happenings, effect)
      else if (effect.type === 'setAside') noteSetAside(happenings, effect)
      else if (effect.type === 'drop') noteDrop(happenings, effect)
    },
  })
}

/** Somebody was refused. */
export function noteRefusal(happenings: Happenings, { reason, peer, clientId, detail }: Refusal): void {
  if (PASSING.has(reason)) return
  const { text, key, level, subject } = EXPLANATIONS[reason]
  happenings.note({
    kind: 'refused',
    tone: level === undefined ? 'warn' : 'note',
    text: `Refused: ${text}.`,
    clientId,
    address: describePeer(peer),
    reason,
    detail,
    key,
    docs: docsOf(subject),
    same: `${reason} ${peer.address} ${clientId ?? ''}`,
  })
}

function noteChange(
  happenings: Happenings,
  { session: { clientId, cleanSession }, peer, to, why }: Extract<Effect, { type: 'changed' }>,
): void {
  if (to !== 'lost') return
  const then = cleanSession ? 'its session is forgotten' : 'its session is kept'
  happenings.note({
    kind: 'lost',
    tone: 'bad',
    text: `A sensor fell silent: ${then}.`,
    clientId,
    address: peer && describePeer(peer),
    detail: why,
    docs: docsOf('sensor-lost'),
  })
}

function noteContest(
  happenings: Happenings,
  { session: { clientId }, peer, other }: Extract<Effect, { type: 'contested' }>,
): void {
  happenings.note({
    kind: 'contested',
    tone: 'bad',
    text: 'Two devices have the same ClientId: give each its own.',
    clientId,
    address: describePeer(peer),
    detail: `the other one is ${describePeer(other)}`,
    docs: docsOf('same-client-id'),
    same: clientId,
  })
}

function noteSetAside(
  happenings: Happenings,
  { session: { clientId, peer }, kind, topic, why, kept }: Extract<Effect, { type: 'setAside' }>,
): void {
  const does = why === 'hung-up' ? 'closes the connection at' : 'refuses'
  const then = kept ? 'it is kept as a dead letter' : 'it was given up'
  happenings.note({
    kind: kept ? 'dead-letter' : 'dropped',
    tone: 'bad',
    text: `The broker ${does} a ${kind === 'publish' ? 'message' : 'subscription'} of a sensor: ${then}.`,
    clientId,
    address: peer && describePeer(peer),
    reason: why,
    detail: topic,
    docs: docsOf(why === 'hung-up' ? 'poison-topic' : 'dead-letters'),
    ...(!kept && { same: `${kind} ${clientId} ${topic}` }),
  })
}

function noteDrop(
  happenings: Happenings,
  { reason, session, topic }: Extract<Effect, { type: 'drop' }>,
): void {
  if (session === undefined) return
  const dropped = DROPPED.get(reason)
  // what is set aside is an event already
  if (dropped === undefined || dropped.isHarmless === true || reason === 'hung-up' || reason === 'refused')
    return
  const { clientId, peer } = session
  happenings.note({
    kind: 'dropped',
    tone: 'warn',
    text: `Messages to or from a sensor were dropped: ${dropped.text}.`,
    clientId,
    address: peer && describePeer(peer),
    reason,
    detail: topic,
    key: dropped.key,
    docs: docsOf(dropped.subject),
    same: `${reason} ${clientId}`,
  })
}
