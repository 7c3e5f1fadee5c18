// What others may see of a gateway: every message, every effect, and its status.

import type { Packet } from '../codec/v1/messages.ts'
import type { Config } from '../config/schema.ts'
import type { Effect, UpstreamEvent } from '../session/events.ts'
import type { Peer } from '../session/peers.ts'
import type { Refusal } from '../session/refusal.ts'
import type { Session } from '../session/session.ts'
import type { StoreHealth } from '../store/store.ts'
import type { TransportStats } from '../transport/transport.ts'
import type { UpstreamStats } from '../upstream/stats.ts'
import type { Counters, DiscardReason, Origin } from './counters.ts'

/** Sees every message and every effect while it is registered; for views, traces and tests. */
export interface Observer {
  /** a message from a sensor, or from a stranger, before it is handled */
  received?(packet: Packet, peer: Peer, session: Session | undefined, bytes: Uint8Array): void
  /** a message to a sensor or stranger, as it leaves; `repeated`: it was sent before */
  sent?(packet: Packet, peer: Peer, session: Session | undefined, bytes: Uint8Array, repeated: boolean): void
  /** somebody was refused */
  refused?(refusal: Refusal): void
  /** something was discarded; `from`: where it came from, or of whose sensor it is */
  discarded?(reason: DiscardReason, from: Origin | undefined, clientId: string | undefined): void
  /** what the broker connection of a sensor reports, before it is handled */
  heard?(session: Session, event: UpstreamEvent): void
  /** something to be done, before it is done */
  effect?(effect: Effect): void
  /** it was taken up where another gateway has left it, or was left to another one */
  moved?(session: Session, how: 'adopted' | 'released'): void
}

/** A gateway's view of itself. */
export interface GatewayStatus {
  readonly listeners: readonly { name: string; url: string; stats: TransportStats }[]
  /** `openings`: how often the gateway's own connection has been opened */
  readonly broker: { url: string; healthy: boolean; openings: number } & Partial<UpstreamStats>
  readonly store: StoreStatus
  readonly counters: Counters
  readonly sensors: number
}

/** The status of the store. */
export interface StoreStatus extends StoreHealth {
  readonly type: Config['store']['type']
  /** writes that failed while something waited for them */
  readonly failures: number
  /** answers to sensors and broker that wait for it */
  readonly held: number
}

/** All registered observers. What one of them throws goes to `onFault`, and disturbs neither the others nor the gateway. */
export class Observers implements Required<Observer> {
  #observers: readonly Observer[] = []
  readonly #onFault: (error: unknown) => void

  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault
  }

  /** Registers an observer; returns how to end that. */
  add(observer: Observer): () => void {
    this.#observers = [...this.#observers, observer]
    return () => {
      this.#observers = this.#observers.filter((one) => one !== observer)
    }
  }

  received(packet: Packet, peer: Peer, session: Session | undefined, bytes: Uint8Array): void {
    for (const observer of this.#observers) {
      try {
        observer.received?.(packet, peer, session, bytes)
      } catch (error) {
        this.#onFault(error)
      }
    }
  }

  sent(packet: Packet, peer: Peer, session: Session | undefined, bytes: Uint8Array, repeated: boolean): void {
    for (const observer of this.#observers) {
      try {
        observer.sent?.(packet, peer, session, bytes, repeated)
      } catch (error) {
        this.#onFault(error)
      }
    }
  }

  refused(refusal: Refusal): void {
    for (const observer of this.#observers) {
      try {
        observer.refused?.(refusal)
      } catch (error) {
        this.#onFault(error)
      }
    }
  }

  discarded(reason: DiscardReason, from: Origin | undefined, clientId: string | undefined): void {
    for (const observer of this.#observers) {
      try {
        observer.discarded?.(reason, from, clientId)
      } catch (error) {
        this.#onFault(error)
      }
    }
  }

  heard(session: Session, event: UpstreamEvent): void {
    for (const observer of this.#observers) {
      try {
        observer.heard?.(session, event)
      } catch (error) {
        this.#onFault(error)
      }
    }
  }

  effect(effect: Effect): void {
    for (const observer of this.#observers) {
      try {
        observer.effect?.(effect)
      } catch (error) {
        this.#onFault(error)
      }
    }
  }

  moved(session: Session, how: 'adopted' | 'released'): void {
    for (const observer of this.#observers) {
      try {
        observer.moved?.(session, how)
      } catch (error) {
        this.#onFault(error)
      }
    }
  }
}
