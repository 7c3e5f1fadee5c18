// DTLS over UDP: what the core in src/dtls wants done is done here, and what it opened goes on with the name of its sender.

import { systemChance } from '../../dtls/crypto/chance.ts'
import type { Remote as DtlsRemote, Effect, SessionInfo, Turn } from '../../dtls/effects.ts'
import type { ServerOptions } from '../../dtls/server/options.ts'
import { DtlsServer } from '../../dtls/server/server.ts'
import type { Association } from '../../session/peers.ts'
import type { AsideStore, HandshakeResult, SecureLink } from '../secure-link.ts'
import type { OnDatagram, Remote, Transport, TransportStats } from '../transport.ts'
import { DueTimer } from './due-timer.ts'
import { HeldDatagrams } from './held-datagrams.ts'
import { HelloQueue } from './hello-queue.ts'
import { type KeyLog, openKeyLog } from './key-log.ts'
import type { EffectOf, SecureOptions } from './options.ts'
import { FreshNumbers, sessionName, sessionsIn, ticketKeysIn, ticketsName } from './session-records.ts'

/** Datagrams that may wait until `begin`. */
const MOST_EARLY = 5000

interface OpenSession {
  readonly association: Association
  remote: DtlsRemote
  /** its record in the store, by name: with every message it is told that it has changed */
  readonly name: string
  readonly record: () => object | undefined
}

export class DtlsTransport implements Transport, SecureLink {
  readonly url: string
  readonly #socket: Transport
  readonly #options: SecureOptions
  readonly #onDatagram: OnDatagram
  readonly #keyLog: KeyLog | undefined
  readonly #held: HeldDatagrams
  readonly #hellos: HelloQueue
  readonly #timer = new DueTimer(() => this.#perform((turn) => this.#core.tick(turn)))
  readonly #sessions = new Map<number, OpenSession>()
  readonly #handshakes: Partial<Record<HandshakeResult, number>> = {}
  #core: DtlsServer
  #store: AsideStore | undefined
  #numbers: FreshNumbers | undefined
  #early: [Uint8Array, Remote][] | undefined = []
  #moves = 0
  #helloVerifies = 0
  #unsent = 0

  constructor(socket: Transport, options: SecureOptions, onDatagram: OnDatagram) {
    this.url = socket.url.replace(/^udp:/, 'dtls:')
    this.#socket = socket
    this.#options = options
    this.#onDatagram = onDatagram
    this.#keyLog = options.keyLog === undefined ? undefined : openKeyLog(options.keyLog)
    this.#held = new HeldDatagrams((bytes, to) => socket.send(bytes, to))
    this.#hellos = new HelloQueue(
      (bytes, from) => this.#hear(bytes, from),
      (from) => options.reports.discarded('hello-flood', from),
    )
    this.#core = new DtlsServer(this.#settings(options.server), systemChance)
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
    this.#perform((turn) => this.#core.receive(bytes, from, turn), from)
  }

  send(bytes: Uint8Array, { association: to }: Remote): void {
    const isSent = to !== undefined && this.#perform((turn) => this.#core.send(to.number, bytes, turn))
    if (!isSent) this.#unsent++
  }

  /** There is no way to tell all nodes something that only each of them can read. */
  broadcast(): void {}

  stats(): TransportStats {
    const stats = this.#socket.stats()
    const { sessions, halfOpen } = this.#core.sizes
    const secure = {
      sessions,
      halfOpen,
      handshakes: { ...this.#handshakes },
      moves: this.#moves,
      helloVerifies: this.#helloVerifies,
      keyLog: this.#keyLog !== undefined,
    }
    return { ...stats, sendErrors: stats.sendErrors + this.#unsent, secure }
  }

  async close(): Promise<void> {
    // with a store the sessions live on, and the next start goes on with them
    if (this.#store === undefined && this.#early === undefined)
      this.#perform((turn) => {
        for (const session of this.#sessions.keys()) this.#core.close(session, 'the gateway stops', turn)
      })
    this.#early = []
    this.#timer.stop()
    this.#hellos.close()
    await this.#socket.close()
    this.#keyLog?.close()
  }

  begin(store?: AsideStore): void {
    if (store !== undefined) {
      this.#store = store
      this.#core = new DtlsServer(this.#settings(this.#options.server), systemChance)
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
  }

  #settings(options: ServerOptions): ServerOptions {
    return { ...options, persist: this.#store !== undefined, keyLog: this.#keyLog !== undefined }
  }

  #restore(store: AsideStore): void {
    const { name } = this.#options
    this.#numbers = new FreshNumbers(store, name)
    this.#core.numberFrom(this.#numbers.first)
    this.#core.useTicketKeys(ticketKeysIn(store, name))
    this.#core.onTicketKeys = (keys) => store.keepAside(ticketsName(name), () => ({ keys }))
    this.#perform((turn) => {
      for (const saved of sessionsIn(store, name)) {
        if (this.#core.restore(saved, turn)) this.#note(saved.session, saved.info, saved.remote)
        else store.keepAside(sessionName(name, saved.session), () => undefined)
      }
    })
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
        const session = this.#sessions.get(effect.session)
        this.#sessions.delete(effect.session)
        if (session !== undefined) reports.closed(session.association, effect.why)
        return
      }
      case 'failed':
        this.#count(effect.cause)
        return reports.failed(effect)
      case 'verify':
        this.#helloVerifies++
        return
      case 'discard':
        return reports.discarded(effect.reason, from)
      case 'look-up':
        return void this.#lookUp(effect)
      case 'save':
        return this.#save(effect.session)
      case 'forget':
        return this.#store?.keepAside(sessionName(this.#options.name, effect.session), () => undefined)
      case 'keylog':
        return this.#keyLog?.write(effect.line)
      case 'fault':
        return reports.fault(effect.error)
    }
  }

  #open({ session, info, remote }: EffectOf<'open'>): void {
    this.#count(info.resumed ? 'resumed' : 'full')
    this.#numbers?.note(session)
    const association = this.#note(session, info, remote)
    if (association !== undefined) this.#options.reports.opened(association, info, remote)
  }

  /** Undefined for who has proved nothing, which no configuration allows. */
  #note(session: number, { identity, kind }: SessionInfo, remote: DtlsRemote): Association | undefined {
    if (identity === undefined || kind === 'anonymous') return undefined
    const association: Association = { number: session, identity, kind }
    const name = sessionName(this.#options.name, session)
    this.#sessions.set(session, { association, remote, name, record: () => this.#core.save(session) })
    return association
  }

  #deliver({ session, bytes, remote: { address, port, local } }: EffectOf<'data'>): void {
    const open = this.#sessions.get(session)
    if (open === undefined) return
    // what is acknowledged must not be taken again after a restart: the record's number goes to the disk before that is
    this.#store?.keepAside(open.name, open.record, true)
    this.#onDatagram(bytes, { address, port, local, association: open.association })
  }

  #move({ session, from, to }: EffectOf<'moved'>): void {
    this.#moves++
    this.#held.move(from, to)
    const open = this.#sessions.get(session)
    if (open === undefined) return
    open.remote = to
    this.#options.reports.moved(open.association, from, to)
  }

  async #lookUp({ ask, identity }: EffectOf<'look-up'>): Promise<void> {
    const key = await this.#options.lookUp?.(identity).catch(() => undefined)
    this.#perform((turn) => this.#core.found(ask, key, turn))
  }

  /** Its next numbers are reserved: nothing with them may leave before that is on the disk. */
  #save(session: number): void {
    const [store, open] = [this.#store, this.#sessions.get(session)]
    if (store === undefined || open === undefined) return
    store.keepAside(open.name, open.record)
    const release = this.#held.hold(open.remote)
    const settle = (error?: Error): void => (error === undefined ? release() : store.onDurable(settle))
    store.onDurable(settle)
  }

  #count(result: HandshakeResult): void {
    this.#handshakes[result] = (this.#handshakes[result] ?? 0) + 1
  }
}
