// The open sessions of a link as the gateway knows them: whose they are, where, since when, and what went over them.

import type { SessionInfo, Remote as SessionRemote } from '../../dtls/effects.ts'
import type { ServerOptions } from '../../dtls/server/options.ts'
import type { Association } from '../../session/peers.ts'
import type { SecureSession } from '../secure-link.ts'
import type { EffectOf, SecureOptions } from './options.ts'

export interface OpenSession {
  readonly association: Association
  remote: SessionRemote
  /** wall time */
  readonly openedAt: number
  /** protected records that had been written before it was noted here */
  readonly writtenBefore: number
  received: number
  moves: number
  movedAt: number | undefined
  /** how many messages had come when it was last written, and with which write of the store */
  kept: number
  keptWith: number
  /**
   * Another process may have received more in it than is in its record: how often each was received here that is not acknowledged yet.
   * Undefined: nobody has.
   */
  heard: Map<number, number> | undefined
  /** its record in the store, by name, where there is a store: made once, as it is told of each message */
  name: string | undefined
  record: (() => object | undefined) | undefined
}

export class OpenSessions {
  readonly #all = new Map<number, OpenSession>()
  /** changes of address, of all that there were */
  moves = 0

  get(session: number | undefined): OpenSession | undefined {
    return session === undefined ? undefined : this.#all.get(session)
  }

  /** Undefined for who has proved nothing, which no configuration allows. */
  add(
    number: number,
    { identity, kind }: SessionInfo,
    remote: SessionRemote,
    openedAt: number,
    writtenBefore = 0,
  ): Association | undefined {
    if (identity === undefined || kind === 'anonymous') return undefined
    const association: Association = { number, identity, kind }
    const fresh = {
      received: 0,
      moves: 0,
      movedAt: undefined,
      kept: 0,
      keptWith: 0,
      heard: undefined,
      name: undefined,
      record: undefined,
    }
    this.#all.set(number, { association, remote, openedAt, writtenBefore, ...fresh })
    return association
  }

  /** Takes it away. */
  take(session: number): OpenSession | undefined {
    const open = this.#all.get(session)
    this.#all.delete(session)
    return open
  }

  /** It goes on at another address; `at` is the wall time. */
  move(session: number, to: SessionRemote, at: number): OpenSession | undefined {
    this.moves += 1
    const open = this.#all.get(session)
    if (open === undefined) return undefined
    open.remote = to
    open.moves += 1
    open.movedAt = at
    return open
  }

  /** All of them as they are now, or those of these numbers: meanwhile some may end. */
  list(numbers?: readonly number[]): OpenSession[] {
    if (numbers === undefined) return [...this.#all.values()]
    return numbers.flatMap((number) => this.#all.get(number) ?? [])
  }
}

/** An open session as it is shown. */
export function shownOf(
  { association, openedAt, writtenBefore, received, moves, movedAt }: OpenSession,
  info: SessionInfo,
  written: number,
): SecureSession {
  const { suite, resumed, extendedMasterSecret, connectionId } = info
  return {
    identity: association.identity,
    kind: association.kind,
    suite,
    resumed,
    extendedMasterSecret,
    connectionId: connectionId !== undefined,
    openedAt,
    received,
    sent: written - writtenBefore,
    moves,
    movedAt,
  }
}

type FindKey = ServerOptions['findKey']

/** Keys that are looked up outside. They may be others later: each is asked for again then, one after the other, and `verify` is told. */
export class KeyChecks {
  readonly #sessions: OpenSessions
  readonly #lookUp: SecureOptions['lookUp']
  readonly #verify: (session: number, key: Uint8Array | undefined) => void
  #taken: Promise<void> = Promise.resolve()

  constructor(
    sessions: OpenSessions,
    lookUp: SecureOptions['lookUp'],
    verify: (session: number, key: Uint8Array | undefined) => void,
  ) {
    this.#sessions = sessions
    this.#lookUp = lookUp
    this.#verify = verify
  }

  /** The key of an identity; undefined: nobody has it, or nobody can tell. */
  async find({ identity }: EffectOf<'look-up'>): Promise<Uint8Array | undefined> {
    return this.#lookUp?.(identity).catch(() => undefined)
  }

  /** Those of all sessions. */
  async check(findKey: FindKey, numbers?: readonly number[]): Promise<void> {
    const lookUp = this.#lookUp
    if (lookUp === undefined || findKey === undefined) return
    for (const { association } of this.#sessions.list(numbers)) {
      const { number, identity, kind } = association
      if (kind !== 'psk' || findKey(identity) !== 'later') continue
      // who cannot answer has taken nothing away
      const found = await lookUp(identity).then(
        (key) => ({ key }),
        () => undefined,
      )
      if (found !== undefined) this.#verify(number, found.key)
    }
  }

  /** Those of these sessions, after those of all that were taken up before. */
  checkTaken(findKey: FindKey, numbers: readonly number[]): void {
    if (this.#lookUp !== undefined) this.#taken = this.#taken.then(() => this.check(findKey, numbers))
  }
}
