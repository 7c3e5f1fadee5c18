// DTLS over UDP: what the core in src/dtls wants done is done here, and what it opened goes on with the name of its sender.

import { systemChance } from '../../dtls/crypto/chance.ts'
import type { Effect, Turn } from '../../dtls/effects.ts'
import type { ServerOptions } from '../../dtls/server/options.ts'
import { DtlsServer } from '../../dtls/server/server.ts'
import type {
  AsideStore,
  OnWire,
  SecureLink,
  SecureSession,
  SessionSharing,
  SlotRecord,
} from '../secure-link.ts'
import type { OnDatagram, Remote, Transport, TransportStats } from '../transport.ts'
import { DueTimer } from './due-timer.ts'
import { HandshakeBook } from './handshake-book.ts'
import { EarlyDatagrams, HeldDatagrams } from './held-datagrams.ts'
import { HelloQueue } from './hello-queue.ts'
import { type KeyLog, openKeyLog } from './key-log.ts'
import { KeyChecks, OpenSessions, shownOf } from './open-sessions.ts'
import type { EffectOf, SecureOptions } from './options.ts'
import { StoredSessions } from './stored-sessions.ts'
import { WireWatch } from './wire-watch.ts'

export class DtlsTransport implements Transport, SecureLink {
  readonly url: string
  readonly #socket: Transport
  readonly #options: SecureOptions
  readonly #onDatagram: OnDatagram
  readonly #keyLog: KeyLog | undefined
  readonly #held: HeldDatagrams
  readonly #early = new EarlyDatagrams()
  readonly #hellos: HelloQueue
  readonly #sessions = new OpenSessions()
  readonly #handshakes = new HandshakeBook()
  readonly #wire = new WireWatch((at) => this.#sessions.get(this.#core.sessionAt(at))?.association)
  readonly #keys: KeyChecks
  readonly #timer = new DueTimer(() => this.#perform((turn) => this.#core.tick(turn)))
  #core: DtlsServer
  #stored: StoredSessions | undefined
  #unsent = 0

  constructor(socket: Transport, options: SecureOptions, onDatagram: OnDatagram) {
    this.url = socket.url.replace(/^udp:/, 'dtls:')
    this.#socket = socket
    this.#options = options
    this.#onDatagram = onDatagram
    this.#keyLog = options.keyLog === undefined ? undefined : openKeyLog(options.keyLog)
    const letGo = (bytes: Uint8Array, to: Remote) => {
      if (this.#wire.isWatched) this.#wire.note('sent', bytes, to)
      const way = this.#stored === undefined ? to : this.#stored.wayOut(to, bytes)
      if (way !== undefined) socket.send(bytes, way)
    }
    this.#held = new HeldDatagrams(letGo, undefined, () => void this.#unsent++)
    const onDropped = (from: Remote) => options.reports.discarded('hello-flood', from)
    this.#hellos = new HelloQueue(this.#hear.bind(this), onDropped)
    this.#core = new DtlsServer(this.#settings(options.server), systemChance)
    this.#keys = new KeyChecks(this.#sessions, options.lookUp, (session, key) =>
      this.#perform((turn) => this.#core.verifyKey(session, key, turn)),
    )
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
    if (this.#early.takes(bytes, from)) return
    const own = this.#stored === undefined ? from : this.#stored.admit(bytes, from)
    if (own !== undefined) this.hear(bytes, own)
  }

  hear(bytes: Uint8Array, from: Remote): void {
    if (!this.#hellos.takes(bytes, from)) this.#hear(bytes, from)
  }

  sendSealed(bytes: Uint8Array, to: Remote): void {
    this.#socket.send(bytes, to)
  }

  #hear(bytes: Uint8Array, from: Remote): void {
    if (this.#wire.isWatched) this.#wire.note('received', bytes, from) // before the core can change them
    this.#perform((turn) => this.#core.receive(bytes, from, turn), from)
  }

  send(bytes: Uint8Array, { association: to }: Remote): void {
    const mayGo = to !== undefined && this.#stored?.keeper.holdPromise(to.number, bytes) !== false
    const isSent = mayGo && this.#perform((turn) => this.#core.send(to.number, bytes, turn))
    if (!isSent) this.#unsent++
  }

  broadcast(): void {} // there is no way to tell all nodes something that only each of them can read

  stats(): TransportStats {
    const secure = {
      ...this.#core.load,
      ...this.#handshakes.stats(),
      ...{ moves: this.#sessions.moves, keyLog: this.#keyLog !== undefined },
      credentials: this.#options.credentials(),
    }
    const stats = this.#socket.stats()
    return { ...stats, sendErrors: stats.sendErrors + this.#unsent, secure }
  }

  async close(): Promise<void> {
    // with a store the sessions live on, and the next start goes on with them
    if (this.#stored === undefined && this.#early.isOver)
      this.#perform((turn) => {
        for (const { association } of this.#sessions.list())
          this.#core.close(association.number, 'the gateway stops', turn)
      })
    this.#early.resume()
    this.#timer.stop()
    this.#hellos.close()
    await this.#socket.close()
    this.#keyLog?.close()
  }

  begin(store?: AsideStore, sharing?: SessionSharing): void {
    if (store !== undefined) {
      const [options, sessions, held] = [this.#options, this.#sessions, this.#held]
      const core = new DtlsServer(this.#settings(options.server, sharing !== undefined), systemChance)
      const stored = new StoredSessions({ store, sharing, core, options, sessions, held })
      this.#core = core
      this.#stored = stored
      this.#perform((turn) => stored.restore(turn))
      void this.#keys.check(options.server.findKey)
    }
    for (const datagram of this.#early.end()) this.receive(...datagram)
  }

  takeUp(slots: ReadonlySet<number>, records: readonly SlotRecord[]): readonly number[] {
    const numbers = this.#perform((turn) => this.#stored?.takeUp(slots, records, turn)) ?? []
    this.#keys.checkTaken(this.#options.server.findKey, numbers)
    return numbers
  }

  letGo(slots: ReadonlySet<number>): void {
    this.#perform((turn) => this.#stored?.letGo(slots, turn))
  }

  displace(at: Remote): void {
    this.#perform((turn) => this.#core.displace(at, turn))
  }

  setInUse(association: number, inUse: boolean): void {
    this.#perform((turn) => this.#core.setInUse(association, inUse, turn))
  }

  reconfigure(options: ServerOptions): void {
    this.#perform((turn) => this.#core.reconfigure(this.#settings(options), turn))
    void this.#keys.check(options.findKey)
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

  /** `isShared`: undefined where nothing is stored */
  #settings(options: ServerOptions, isShared = this.#stored?.isShared): ServerOptions {
    const place = isShared ? () => this.#stored?.place() : undefined
    return { ...options, persist: isShared !== undefined, keyLog: this.#keyLog !== undefined, place }
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
        if (session === undefined) return
        this.#stored?.noteClosed(effect.session, session.remote)
        return reports.closed(session.association, effect.why)
      }
      case 'failed':
        this.#handshakes.noteFailed(effect, Date.now())
        return reports.failed(effect)
      case 'verify':
        return this.#handshakes.noteVerify()
      case 'discard':
        return reports.discarded(effect.reason, from)
      case 'look-up':
        return void this.#keys.find(effect).then((key) => {
          this.#perform((turn) => this.#core.found(effect.ask, key, turn))
        })
      case 'save':
      case 'forget':
        return this.#stored?.keeper[effect.type](effect.session)
      case 'keylog':
        return this.#keyLog?.write(effect.line)
      case 'fault':
        return reports.fault(effect.error)
    }
  }

  #open({ session, info, remote, took = 0 }: EffectOf<'open'>): void {
    this.#handshakes.noteOpened(info, took)
    this.#stored?.noteOpened(session, info, remote)
    const association = this.#sessions.add(session, info, remote, Date.now())
    if (association !== undefined) this.#options.reports.opened(association, info, remote)
  }

  #deliver({ session, bytes, remote: { address, port, local } }: EffectOf<'data'>): void {
    const open = this.#sessions.get(session)
    if (open === undefined) return
    open.received += 1
    this.#stored?.keeper.noteReceived(open, bytes)
    this.#onDatagram(bytes, { address, port, local, association: open.association })
  }

  #move({ session, from, to }: EffectOf<'moved'>): void {
    this.#held.move(from, to)
    const open = this.#sessions.move(session, to, Date.now())
    if (open !== undefined) this.#options.reports.moved(open.association, from, to)
  }
}
