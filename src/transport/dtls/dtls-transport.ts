// DTLS over UDP: what the core in src/dtls wants done is done here, and what it opened goes on with the name of its sender.

import { systemChance } from '../../dtls/crypto/chance.ts'
import type { Effect, Turn } from '../../dtls/effects.ts'
import type { ServerOptions } from '../../dtls/server/options.ts'
import { DtlsServer } from '../../dtls/server/server.ts'
import type { AsideStore, OnWire, SecureLink, SecureSession } from '../secure-link.ts'
import type { OnDatagram, Remote, Transport, TransportStats } from '../transport.ts'
import { DueTimer } from './due-timer.ts'
import { HandshakeBook } from './handshake-book.ts'
import { HeldDatagrams } from './held-datagrams.ts'
import { HelloQueue } from './hello-queue.ts'
import { type KeyLog, openKeyLog } from './key-log.ts'
import { lookUpAgain, OpenSessions, shownOf } from './open-sessions.ts'
import type { EffectOf, SecureOptions } from './options.ts'
import { SessionKeeper } from './session-keeper.ts'
import { FreshNumbers, sessionName, sessionsIn, ticketKeysIn, ticketsName } from './session-records.ts'
import { WireWatch } from './wire-watch.ts'

/** Datagrams that may wait until `begin`. */
const MOST_EARLY = 5000

export class DtlsTransport implements Transport, SecureLink {
  readonly url: string
  readonly #socket: Transport
  readonly #options: SecureOptions
  readonly #onDatagram: OnDatagram
  readonly #keyLog: KeyLog | undefined
  readonly #held: HeldDatagrams
  readonly #hellos: HelloQueue
  readonly #sessions = new OpenSessions()
  readonly #handshakes = new HandshakeBook()
  readonly #wire = new WireWatch((at) => this.#sessions.get(this.#core.sessionAt(at))?.association)
  readonly #timer = new DueTimer(() => this.#perform((turn) => this.#core.tick(turn)))
  #core: DtlsServer
  #keeper: SessionKeeper | undefined
  #numbers: FreshNumbers | undefined
  #early: [Uint8Array, Remote][] | undefined = []
  #unsent = 0

  constructor(socket: Transport, options: SecureOptions, onDatagram: OnDatagram) {
    this.url = socket.url.replace(/^udp:/, 'dtls:')
    this.#socket = socket
    this.#options = options
    this.#onDatagram = onDatagram
    this.#keyLog = options.keyLog === undefined ? undefined : openKeyLog(options.keyLog)
    this.#held = new HeldDatagrams((bytes, to) => {
      if (this.#wire.isWatched) this.#wire.note('sent', bytes, to)
      socket.send(bytes, to)
    })
    this.#hellos = new HelloQueue(
      (bytes, from) => this.#hear(bytes, from),
      (from) => options.reports.discarded('hello-flood', from),
    )
    this.#core = new DtlsServer(this.#settings(options.server), systemChance)
  }

  get atOnce(): number | undefined {
    return this.#socket.atOnce
  }

  get secure(): SecureLink {
    return this
  }

  receive(bytes: Uint8Array, from: Remote): void {
    const { admits, reports } = this.#options
    if (!admits(from.address)) return reports.refused(bytes, from)
    if (this.#early !== undefined) {
      if (this.#early.length < MOST_EARLY) this.#early.push([bytes, from])
    } else if (!this.#hellos.takes(bytes, from)) this.#hear(bytes, from)
  }

  #hear(bytes: Uint8Array, from: Remote): void {
    if (this.#wire.isWatched) this.#wire.note('received', bytes, from) // before the core can change them
    this.#perform((turn) => this.#core.receive(bytes, from, turn), from)
  }

  send(bytes: Uint8Array, { association: to }: Remote): void {
    if (to !== undefined) this.#keeper?.holdPromise(to.number, bytes)
    const isSent = to !== undefined && this.#perform((turn) => this.#core.send(to.number, bytes, turn))
    if (!isSent) this.#unsent++
  }

  /** There is no way to tell all nodes something that only each of them can read. */
  broadcast(): void {}

  stats(): TransportStats {
    const { sizes, limits } = this.#core
    const secure = {
      ...{ sessions: sizes.sessions, halfOpen: sizes.halfOpen },
      limits: { sessions: limits.sessions, halfOpen: limits.handshakes },
      ...this.#handshakes.stats(),
      ...{ moves: this.#sessions.moves, keyLog: this.#keyLog !== undefined },
      credentials: this.#options.credentials(),
    }
    const stats = this.#socket.stats()
    return { ...stats, sendErrors: stats.sendErrors + this.#unsent, secure }
  }

  async close(): Promise<void> {
    // with a store the sessions live on, and the next start goes on with them
    if (this.#keeper === undefined && this.#early === undefined)
      this.#perform((turn) => {
        for (const { association } of this.#sessions.list())
          this.#core.close(association.number, 'the gateway stops', turn)
      })
    this.#early = []
    this.#timer.stop()
    this.#hellos.close()
    await this.#socket.close()
    this.#keyLog?.close()
  }

  begin(store?: AsideStore): void {
    if (store !== undefined) {
      this.#core = new DtlsServer(this.#settings(this.#options.server, true), systemChance)
      const [core, options, sessions, held] = [this.#core, this.#options, this.#sessions, this.#held]
      this.#keeper = new SessionKeeper({ store, core, options, sessions, held })
      this.#restore(store)
    }
    const early = this.#early ?? []
    this.#early = undefined
    for (const datagram of early) this.receive(...datagram)
  }

  setInUse(association: number, inUse: boolean): void {
    this.#perform((turn) => this.#core.setInUse(association, inUse, turn))
  }

  reconfigure(options: ServerOptions): void {
    this.#perform((turn) => this.#core.reconfigure(this.#settings(options), turn))
    this.#lookUpAgain(options)
  }

  about(association: number): SecureSession | undefined {
    const [open, about] = [this.#sessions.get(association), this.#core.about(association)]
    return open && about && shownOf(open, about.info, about.written)
  }

  end(association: number, why: string): boolean {
    if (this.#sessions.get(association) === undefined) return false
    this.#perform((turn) => this.#core.close(association, why, turn))
    return true
  }

  watch(onWire: OnWire): () => void {
    return this.#wire.add(onWire)
  }

  #settings(options: ServerOptions, persist = this.#keeper !== undefined): ServerOptions {
    return { ...options, persist, keyLog: this.#keyLog !== undefined }
  }

  #restore(store: AsideStore): void {
    const { name } = this.#options
    this.#numbers = new FreshNumbers(store, name)
    this.#core.numberFrom(this.#numbers.first)
    this.#core.useTicketKeys(ticketKeysIn(store, name))
    this.#core.onTicketKeys = (keys) => store.keepAside(ticketsName(name), () => ({ keys }))
    this.#perform((turn) => {
      for (const saved of sessionsIn(store, name)) {
        const { session, info, remote, openedAt, sequence } = saved
        if (this.#core.restore(saved, turn)) this.#sessions.add(session, info, remote, openedAt, sequence)
        else store.keepAside(sessionName(name, session), () => undefined)
      }
    })
    this.#lookUpAgain(this.#options.server)
  }

  #perform<T>(step: (turn: Turn) => T, from?: Remote): T {
    const turn: Turn = { now: performance.now(), wall: Date.now(), out: [] }
    const result = step(turn)
    for (const effect of turn.out) this.#do(effect, from)
    this.#timer.wakeAt(this.#core.due())
    return result
  }

  #do(effect: Effect, from: Remote | undefined): void {
    const { reports } = this.#options
    switch (effect.type) {
      case 'send':
        return this.#held.send(effect.bytes, effect.to)
      case 'open':
        return this.#open(effect)
      case 'data':
        return this.#deliver(effect)
      case 'moved':
        return this.#move(effect)
      case 'closed': {
        const session = this.#sessions.take(effect.session)
        if (session !== undefined) reports.closed(session.association, effect.why)
        return
      }
      case 'failed':
        this.#handshakes.noteFailed(effect, Date.now())
        return reports.failed(effect)
      case 'verify':
        return this.#handshakes.noteVerify()
      case 'discard':
        return reports.discarded(effect.reason, from)
      case 'look-up':
        return void this.#lookUp(effect)
      case 'save':
        return this.#keeper?.save(effect.session)
      case 'forget':
        return this.#keeper?.forget(effect.session)
      case 'keylog':
        return this.#keyLog?.write(effect.line)
      case 'fault':
        return reports.fault(effect.error)
    }
  }

  #open({ session, info, remote, took = 0 }: EffectOf<'open'>): void {
    this.#handshakes.noteOpened(info, took)
    this.#numbers?.note(session)
    const association = this.#sessions.add(session, info, remote, Date.now())
    if (association !== undefined) this.#options.reports.opened(association, info, remote)
  }

  #deliver({ session, bytes, remote: { address, port, local } }: EffectOf<'data'>): void {
    const open = this.#sessions.get(session)
    if (open === undefined) return
    open.received += 1
    this.#keeper?.noteReceived(open, bytes)
    this.#onDatagram(bytes, { address, port, local, association: open.association })
  }

  #move({ session, from, to }: EffectOf<'moved'>): void {
    this.#held.move(from, to)
    const open = this.#sessions.move(session, to, Date.now())
    if (open !== undefined) this.#options.reports.moved(open.association, from, to)
  }

  async #lookUp({ ask, identity }: EffectOf<'look-up'>): Promise<void> {
    const key = await this.#options.lookUp?.(identity).catch(() => undefined)
    this.#perform((turn) => this.#core.found(ask, key, turn))
  }

  #lookUpAgain({ findKey }: ServerOptions): void {
    const ways = { findKey, lookUp: this.#options.lookUp }
    void lookUpAgain(this.#sessions.list(), ways, (session, key) =>
      this.#perform((turn) => this.#core.verifyKey(session, key, turn)),
    )
  }
}
