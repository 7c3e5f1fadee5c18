// Server and clients in virtual time: what one sends the other receives, at once or as a bad network would have it.

import { type Random, seeded } from '../../lab/fuzz/mutation.ts'
import { DtlsClient } from '../../src/dtls/client/client.ts'
import type { ClientOptions } from '../../src/dtls/client/options.ts'
import { type Chance, systemChance } from '../../src/dtls/crypto/chance.ts'
import type { Effect, Remote, Turn } from '../../src/dtls/effects.ts'
import type { ServerOptions } from '../../src/dtls/server/options.ts'
import { DtlsServer } from '../../src/dtls/server/server.ts'

export const START = Date.parse('2027-01-01')
export const IDENTITY = 'meter-17'
export const KEY = Uint8Array.from({ length: 16 }, (_, index) => index)

/** The server of most tests: one identity with its key. */
export const findKey = (identity: string): Uint8Array | undefined => (identity === IDENTITY ? KEY : undefined)

/** Random octets from a seed; keys for agreements stay real. */
export function seededChance(random: Random): Chance {
  return {
    random: (octets) => Uint8Array.from({ length: octets }, () => Math.floor(random() * 256)),
    ephemeral: systemChance.ephemeral,
  }
}

export type EffectOf<T extends Effect['type']> = Extract<Effect, { type: T }>

export const effectsOf = <T extends Effect['type']>(effects: readonly Effect[], type: T): EffectOf<T>[] =>
  effects.filter((effect): effect is EffectOf<T> => effect.type === type)

/** What a network does with a datagram: the delays of its copies; none = it is lost. */
export type Network = (direction: 'up' | 'down', bytes: Uint8Array) => number[]

const direct: Network = () => [0]

/** Loses, doubles and delays a share of the datagrams. */
export function badNetwork(random: Random, loss: number, doubled: number, reordered: number): Network {
  return () => {
    if (random() < loss) return []
    const delay = () => (random() < reordered ? 20 + random() * 200 : random() * 5)
    return random() < doubled ? [delay(), delay()] : [delay()]
  }
}

interface Arrival {
  readonly at: number
  readonly bytes: Uint8Array
  readonly to: 'server' | VirtualClient
  readonly remote: Remote
}

let nextPort = 10_000

export class VirtualClient {
  readonly world: World
  readonly core: DtlsClient
  readonly effects: Effect[] = []
  /** where it is now; a NAT may change that */
  remote: Remote

  constructor(world: World, core: DtlsClient, remote: Remote) {
    this.world = world
    this.core = core
    this.remote = remote
  }

  do(action: (turn: Turn) => void): Effect[] {
    const out: Effect[] = []
    action(this.world.turn(out))
    this.effects.push(...out)
    for (const { bytes } of effectsOf(out, 'send')) this.world.transport('up', bytes, this)
    return out
  }

  start(): this {
    this.do((turn) => this.core.start(turn))
    this.world.settle()
    return this
  }

  send(text: string): boolean {
    let sent = false
    this.do((turn) => {
      sent = this.core.send(Buffer.from(text), turn)
    })
    this.world.settle()
    return sent
  }

  close(): void {
    this.do((turn) => this.core.close('closed by the test', turn))
    this.world.settle()
  }

  /** From another port from now on. */
  move(address = this.remote.address): void {
    const before = this.remote
    this.remote = { address, port: nextPort++ }
    this.world.rebind(this, before)
  }

  get received(): string[] {
    return effectsOf(this.effects, 'data').map(({ bytes }) => Buffer.from(bytes).toString())
  }
}

export class World {
  now = 0
  readonly server: DtlsServer
  /** everything that the server wanted done */
  readonly effects: Effect[] = []
  network: Network = direct
  /** every datagram that was sent, in order */
  readonly sent: {
    readonly direction: 'up' | 'down'
    readonly bytes: Uint8Array
    readonly remote: Remote
  }[] = []
  readonly random: Random
  readonly chance: Chance
  readonly #clients = new Map<string, VirtualClient>()
  #arrivals: Arrival[] = []

  constructor(options: ServerOptions = { findKey }, seed = 1, chance?: Chance) {
    this.random = seeded(seed)
    this.chance = chance ?? seededChance(this.random)
    this.server = new DtlsServer(options, this.chance)
  }

  turn(out: Effect[]): Turn {
    return { now: this.now, wall: START + this.now, out }
  }

  /** Calls the server and performs what it wants. */
  do(action: (turn: Turn) => void): Effect[] {
    const out: Effect[] = []
    action(this.turn(out))
    this.effects.push(...out)
    for (const { bytes, to } of effectsOf(out, 'send')) {
      this.sent.push({ direction: 'down', bytes, remote: to })
      const client = this.#clients.get(`${to.address}|${to.port}`)
      if (client === undefined) continue
      for (const delay of this.network('down', bytes))
        this.#arrivals.push({ at: this.now + delay, bytes, to: client, remote: to })
    }
    return out
  }

  /** Octets from an address that belongs to no client. */
  inject(bytes: Uint8Array, from: Remote = { address: '10.9.9.9', port: 9 }): Effect[] {
    const out = this.do((turn) => this.server.receive(Uint8Array.from(bytes), from, turn))
    this.settle()
    return out
  }

  client(options: Partial<ClientOptions> = {}, address = '10.0.0.1'): VirtualClient {
    const remote = { address, port: nextPort++ }
    const psk = { identity: IDENTITY, key: KEY }
    const core = new DtlsClient(
      { psk, remote: { address: '10.0.0.254', port: 8883 }, ...options },
      this.chance,
    )
    const client = new VirtualClient(this, core, remote)
    this.rebind(client)
    return client
  }

  rebind(client: VirtualClient, before?: Remote): void {
    if (before !== undefined) this.#clients.delete(`${before.address}|${before.port}`)
    this.#clients.set(`${client.remote.address}|${client.remote.port}`, client)
  }

  transport(direction: 'up', bytes: Uint8Array, client: VirtualClient): void {
    const { remote } = client
    this.sent.push({ direction, bytes, remote })
    for (const delay of this.network(direction, bytes))
      this.#arrivals.push({ at: this.now + delay, bytes, to: 'server', remote })
  }

  /** Delivers what is due now, and what follows from it. */
  settle(): void {
    for (;;) {
      const index = this.#arrivals.findIndex(({ at }) => at <= this.now)
      const [arrival] = index < 0 ? [] : this.#arrivals.splice(index, 1)
      if (arrival === undefined) return
      const { bytes, to, remote } = arrival
      // a datagram is the receiver's own
      const own = Uint8Array.from(bytes)
      if (to === 'server') this.do((turn) => this.server.receive(own, remote, turn))
      else to.do((turn) => to.core.receive(own, turn))
    }
  }

  /** Lets time pass, with everything that happens in it. */
  pass(milliseconds: number): void {
    const end = this.now + milliseconds
    this.settle()
    for (;;) {
      const clients = [...this.#clients.values()]
      const next = Math.min(
        this.server.due(),
        ...clients.map(({ core }) => core.due()),
        ...this.#arrivals.map(({ at }) => at),
      )
      if (next > end) break
      this.now = Math.max(this.now, next)
      this.do((turn) => this.server.tick(turn))
      for (const client of clients) client.do((turn) => client.core.tick(turn))
      this.settle()
    }
    this.now = end
  }

  of<T extends Effect['type']>(type: T): EffectOf<T>[] {
    return effectsOf(this.effects, type)
  }

  /** The number of the only session that is open, or the last that was opened. */
  get session(): number {
    return this.of('open').at(-1)?.session ?? 0
  }

  get received(): string[] {
    return this.of('data').map(({ bytes }) => Buffer.from(bytes).toString())
  }

  /** How often something was thrown away for this reason. */
  discarded(reason: string): number {
    return this.of('discard').filter((each) => each.reason === reason).length
  }

  answer(text: string, session = this.session): boolean {
    let sent = false
    this.do((turn) => {
      sent = this.server.send(session, Buffer.from(text), turn)
    })
    this.settle()
    return sent
  }
}
