// Which associations sensors use that are connected or asleep: the link keeps those, and ends others after a while.

import type { Config } from '../../config/schema.ts'
import { associationIn, type Listener, type PeerKey, peerKey } from '../../session/peers.ts'
import type { Session } from '../../session/session.ts'
import { whyBarred } from '../../sessions/connect/takeover.ts'
import { createSessions, type Sessions } from '../../sessions/table.ts'
import type { Transport } from '../../transport/transport.ts'

/** `number` is that of the association, `listener` that of the listener. */
export type OnUse = (listener: number, number: number, inUse: boolean) => void

/** Counts the sensors of each association: a forwarder's has many. */
export class AssociationUse {
  readonly #counts = new Map<string, number>()
  readonly #onUse: OnUse

  constructor(onUse: OnUse) {
    this.#onUse = onUse
  }

  /** A sensor is at this address, where none was. */
  add(key: PeerKey): void {
    this.#change(key, 1)
  }

  /** No sensor is at this address any more. */
  remove(key: PeerKey): void {
    this.#change(key, -1)
  }

  /** Whether sensors use this one. */
  has(listener: number, number: number): boolean {
    return this.#counts.has(`${listener} ${number}`)
  }

  /** Those that sensors use, by the keys of their peers. */
  *keys(): Iterable<PeerKey> {
    for (const name of this.#counts.keys()) {
      const [listener = 0, number = 0] = name.split(' ').map(Number)
      yield peerKey(listener, '', 0, undefined, { number, identity: '', kind: 'psk' })
    }
  }

  #change(key: PeerKey, by: number): void {
    const found = associationIn(key)
    if (found === undefined) return
    const { listener, number } = found
    const name = `${listener} ${number}`
    const before = this.#counts.get(name) ?? 0
    const count = before + by
    if (count > 0) this.#counts.set(name, count)
    else this.#counts.delete(name)
    if (before > 0 !== count > 0) this.#onUse(listener, number, count > 0)
  }
}

/** The sessions' table of addresses, for a gateway with links that authenticate. */
export class SecurePeers extends Map<PeerKey, Session> {
  readonly #use: AssociationUse

  constructor(onUse: OnUse) {
    super()
    this.#use = new AssociationUse(onUse)
  }

  override set(key: PeerKey, session: Session): this {
    if (!this.has(key)) this.#use.add(key)
    return super.set(key, session)
  }

  override delete(key: PeerKey): boolean {
    const was = super.delete(key)
    if (was) this.#use.remove(key)
    return was
  }
}

/** An empty table; links with sessions of their own are told which of these are in use. */
export function createSecureSessions(
  { listeners }: Pick<Config, 'listeners'>,
  opened: ReadonlyMap<Listener, { readonly index: number; readonly transport: Pick<Transport, 'secure'> }>,
): Sessions {
  const sessions = createSessions()
  if (listeners.every(({ dtls }) => dtls === undefined)) return sessions
  const byPeer = new SecurePeers((index, number, inUse) => {
    for (const bound of opened.values())
      if (bound.index === index) bound.transport.secure?.setInUse(number, inUse)
  })
  return { ...sessions, byPeer }
}

/** Whether the rule of the sensor with this association, if there is one, lets it be at this address. */
export function mayBeAt({ byPeer }: Sessions, listener: number, number: number, address: string): boolean {
  const association = { number, identity: '', kind: 'psk' } as const
  const { policy, peer } = byPeer.get(peerKey(listener, '', 0, undefined, association)) ?? {}
  return policy === undefined || peer === undefined || whyBarred(policy, { ...peer, address }) === undefined
}
