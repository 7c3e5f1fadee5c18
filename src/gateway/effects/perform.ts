// Performs what the session core asks for: one table of all effects, behind the commit gate.

import type { Log } from '../../log.ts'
import type { Effect, Event, UpstreamEvent } from '../../session/events.ts'
import type { Session } from '../../session/session.ts'
import type { AdmissionAnswer } from '../../sessions/connect/admission.ts'
import type { Leaving } from '../../sessions/ownership/let-go.ts'
import type { Store } from '../../store/store.ts'
import type { Admissions } from '../admission/admit.ts'
import { incrementCounter } from '../counters.ts'
import type { Observers } from '../observer.ts'
import { createDroppedLog } from '../reports/dropped-messages.ts'
import { logChange, logSetAside } from '../reports/log-lines.ts'
import type { Refusals } from '../reports/refusals.ts'
import { createTopicWarnings } from '../reports/topic-warnings.ts'
import type { Tenure } from '../tenure.ts'
import { type BrokerEffectsParts, createBrokerEffects } from './broker-effects.ts'
import { createCommitGate } from './commit-gate.ts'
import type { EffectTable } from './effect-table.ts'
import { createStoreEffects } from './store-effects.ts'
import { TakeoverDoubts } from './takeover-doubts.ts'

/** What effects are performed with. */
export interface EffectPerformerParts extends Omit<BrokerEffectsParts, 'onUpstreamEvent'> {
  readonly store: Store
  /** performs what goes to sensors */
  readonly transmitter: EffectTable<'send' | 'gwinfo'>
  readonly observers: Pick<Observers, 'effect' | 'discarded' | 'heard'>
  readonly refusals: Refusals
  readonly admissions: Pick<Admissions, 'ask'>
  readonly log: Log
  /** other processes are ready to serve the same sensors */
  readonly tenure?: Pick<Tenure, 'confirm'> | undefined
}

/** Whom a performer calls back; none of these throws. */
export interface EffectPerformerCallbacks {
  /** takes what a session's connection to the broker reports */
  dispatch(session: Session, event: Event): void
  /** performs what was held, and takes what that throws */
  attempt(session: Session, step: () => void): void
  /** takes the answer whether a sensor may be here */
  admitted(answered: AdmissionAnswer): void
  /** takes a session of which too many effects were held: none of those will be performed */
  abandon(session: Session): void
}

export interface EffectPerformer {
  /** In order and completely; what others may rely on waits until the session's writes before it are durable. */
  perform(effects: readonly Effect[]): void
  /** Somebody else goes on with the session: what is held of it is forgotten, and its connection to the broker ends. */
  letGo(session: Session, how: Leaving): void
  /** see `Turn` */
  leavesAtOnce(session: Session): boolean
  /** effects that wait for the store */
  readonly held: number
}

/** Somebody else has opened the connection of the sensor: another gateway, or another process of this one. */
const isTakenOver = (event: UpstreamEvent): boolean => event.type === 'closed' && event.why === 'taken-over'

/** One performer for the life of a gateway. */
export function createEffectPerformer(
  parts: EffectPerformerParts,
  callbacks: EffectPerformerCallbacks,
): EffectPerformer {
  const { store, transmitter, observers, refusals, counters, log } = parts
  const gate = createCommitGate({
    store,
    release: (effect, session) => callbacks.attempt(session, () => performNow(effect)),
    onFailure() {
      counters.storeFailures += 1
    },
  })
  const { send, gwinfo } = transmitter
  const doubts = parts.tenure && new TakeoverDoubts(parts.tenure)
  const logDropped = createDroppedLog(log)
  const warnOfTopics = createTopicWarnings(log)
  const { leaveShared, letGo, isFlushed, ...brokerEffects } = createBrokerEffects({
    ...parts,
    onUpstreamEvent(session, event) {
      if (gate.isClosing(session)) return
      if (doubts === undefined || !isTakenOver(event)) report(session, event)
      else void doubts.check(session, () => report(session, event))
    },
  })
  function report(session: Session, event: UpstreamEvent): void {
    observers.heard(session, event)
    if (event.type === 'closed') gate.forgetConnection(session)
    callbacks.dispatch(session, event)
  }
  const storeEffects = createStoreEffects(store)
  const table: EffectTable = {
    send,
    gwinfo,
    ...brokerEffects,
    ...storeEffects,
    forget(effect) {
      storeEffects.forget(effect)
      leaveShared(effect.session)
    },
    admit: ({ clientId, peer, ticket }) =>
      parts.admissions.ask(clientId, peer, (answer) => callbacks.admitted({ peer, ticket, answer })),
    setAside: (effect) => logSetAside(log, effect),
    drop({ reason, session, topic, peer, refusal }) {
      incrementCounter(counters.dropped, reason)
      observers.discarded(
        reason,
        session?.peer ?? refusal?.peer ?? peer,
        session?.clientId ?? refusal?.clientId,
      )
      if (session !== undefined) logDropped(session, reason, topic)
      if (reason === 'topic-forgotten' && session !== undefined) warnOfTopics(session)
      if (refusal !== undefined) refusals.report(refusal)
    },
    refused: ({ refusal }) => refusals.report(refusal),
    contested: (effect) => refusals.reportContested(effect),
    gaveWay: () => refusals.reportGaveWay(),
    changed(effect) {
      if (effect.to === 'lost')
        incrementCounter(counters.losses, effect.session.cleanSession ? 'clean' : 'kept')
      logChange(log, effect)
    },
  }

  function performNow(effect: Effect): void {
    observers.effect(effect)
    if (effect.type === 'connect' || effect.type === 'close') doubts?.forget(effect.session)
    const procedure = table[effect.type] as (effect: Effect) => void
    procedure(effect)
    gate.notePerformed(effect)
  }

  return {
    perform(effects) {
      for (const effect of effects) if (!gate.hold(effect)) performNow(effect)
      for (const session of gate.takeOverfull()) callbacks.abandon(session)
    },
    letGo(session, how) {
      gate.forgetSession(session.clientId)
      doubts?.forget(session)
      letGo(session, how)
    },
    leavesAtOnce: (session) => !gate.isHolding(session.clientId) && isFlushed(session),
    get held() {
      return gate.held
    },
  }
}
