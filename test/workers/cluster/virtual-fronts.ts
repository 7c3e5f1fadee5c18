// Fronts of a cluster in virtual time: routers with workers that only note what they are given, and links that only pass on.

import { vi } from 'vitest'
import type { LinkConnection } from '../../../src/cluster/links/connection.ts'
import type { SlotOwners } from '../../../src/cluster/owners.ts'
import { encodeFrame } from '../../../src/codec/v1/frame.ts'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { createCounters } from '../../../src/gateway/counters.ts'
import type { BoundListener } from '../../../src/gateway/datagrams/listener.ts'
import { AssociationUse } from '../../../src/gateway/dtls/association-use.ts'
import { type PeerKey, peerKey } from '../../../src/session/peers.ts'
import { SlotStates } from '../../../src/sessions/ownership/slot-states.ts'
import { allSlots, slotOfName } from '../../../src/sessions/slots.ts'
import type { Remote } from '../../../src/transport/transport.ts'
import { SlotRouter } from '../../../src/workers/cluster/slot-router.ts'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** A packet as a datagram. */
export const octets = (packet: Packet): Uint8Array => encodeFrame(packet)

/** One node. */
export class VirtualFront {
  readonly name: string
  readonly states = new SlotStates(allSlots)
  readonly counters = createCounters()
  readonly router: SlotRouter
  /** what workers were given, as `slot octets`; of a stranger `stranger octets` */
  readonly given: string[] = []
  readonly remotes: Remote[] = []
  /** what has left by the socket */
  readonly sent: string[] = []
  readonly displaced: PeerKey[] = []
  readonly use = new AssociationUse(() => {})
  readonly bound = new Map<PeerKey, number>()
  holds = true
  /** what it has not seen yet: who has these slots in its table */
  readonly lags = new Map<number, string>()

  constructor(name: string, cluster: VirtualCluster) {
    this.name = name
    const listener = {
      index: 0,
      listener: { name: 'field', maxMessage: 1000, roaming: 'off' },
      transport: {
        send: (bytes: Uint8Array, { address, port, local = '' }: Remote) =>
          void this.sent.push(`${address}:${port} ${local} ${text(bytes)}`),
      },
    } as unknown as BoundListener
    this.listener = listener
    this.router = new SlotRouter({
      self: name,
      owners: {
        ...cluster.owners,
        ownerOf: (slot) =>
          this.lags.has(slot)
            ? { node: this.lags.get(slot) ?? '', incarnation: 1, epoch: 0 }
            : cluster.owners.ownerOf(slot),
      },
      links: { to: (node) => cluster.link(name, node), up: () => cluster.linked(name) },
      hold: 2000,
      holds: () => this.holds,
      states: this.states,
      slotOf: slotOfName,
      books: { counters: this.counters },
      front: {
        boundAt: (key) => this.bound.get(key),
        isAway: () => false,
        use: this.use,
        listenerAt: () => listener,
        handOver: (slot, _, bytes, remote) => {
          this.given.push(`${remote.isStranger ? 'stranger' : slot} ${text(bytes)}`)
          this.remotes.push(remote)
        },
        displace: (key) => void this.displaced.push(key),
      },
    })
  }

  readonly listener: BoundListener

  /** A sensor's datagram comes in by the socket. */
  hear(packet: Packet, port = 5000): void {
    this.router.admits(this.listener, octets(packet), { address: '10.0.0.9', port })
  }

  /** A worker has a sensor there; `via`: as its datagrams say. */
  bind(clientId: string, port = 5000, via: Remote['local'] = undefined, isRestored = false): void {
    const key = keyAt(port)
    const slot = slotOfName(clientId)
    this.bound.set(key, slot)
    this.router.noteBound({ key, clientId, slot, local: via }, isRestored)
    this.router.tellBound()
  }

  unbind(port = 5000): void {
    const key = keyAt(port)
    const slot = this.bound.get(key) ?? 0
    this.bound.delete(key)
    this.router.noteUnbound(key, slot)
  }

  get dropped() {
    return this.counters.dropped
  }
}

/** The address of a sensor. */
export const keyAt = (port: number): PeerKey => peerKey(0, '10.0.0.9', port, undefined)

/** Nodes, links and owners; slots belong to nodes in turn unless `give` says otherwise. */
export class VirtualCluster {
  readonly fronts: VirtualFront[]
  readonly #cut = new Set<string>()
  readonly #given = new Map<number, string>()
  /** what is said over links between two nodes waits, if it is said to */
  isSlow = false
  readonly #waiting: (() => void)[] = []
  readonly owners: SlotOwners = {
    ownerOf: (slot) => ({ node: this.ownerOf(slot), incarnation: 1, epoch: 1 }),
    members: () => [],
    onChange: () => () => {},
    look() {},
  }

  constructor(count: number) {
    vi.useFakeTimers({ toFake: ['performance', 'setImmediate', 'setInterval', 'clearInterval'] })
    this.fronts = Array.from({ length: count }, (_, i) => new VirtualFront(`gw-${i + 1}`, this))
    for (const { name, states } of this.fronts) {
      states.enter(
        'served',
        allSlots.filter((slot) => this.ownerOf(slot) === name),
      )
    }
  }

  ownerOf(slot: number): string {
    return this.#given.get(slot) ?? `gw-${(slot % this.fronts.length) + 1}`
  }

  front(i: number): VirtualFront {
    const front = this.fronts[i]
    if (front === undefined) throw new Error(`there is no node ${i}`)
    return front
  }

  /** A ClientId whose sensor is this node's. */
  nameOf(i: number, number = 0): string {
    for (let n = 0, found = 0; ; n += 1) {
      if (slotOfName(`s${n}`) % this.fronts.length !== i) continue
      if (found === number) return `s${n}`
      found += 1
    }
  }

  /** The table of owners says so from now on. */
  give(clientId: string, i: number): void {
    this.giveSlot(slotOfName(clientId), i)
  }

  giveSlot(slot: number, i: number): void {
    this.#given.set(slot, this.front(i).name)
  }

  cut(one: number, other: number, isCut = true): void {
    const [a, b] = [this.front(one), this.front(other)]
    for (const way of [`${a.name} ${b.name}`, `${b.name} ${a.name}`]) {
      if (isCut) this.#cut.add(way)
      else this.#cut.delete(way)
    }
    a.router.settle()
    b.router.settle()
  }

  linked(from: string): string[] {
    return this.fronts
      .map(({ name }) => name)
      .filter((name) => name !== from && !this.#cut.has(`${from} ${name}`))
  }

  link(from: string, to: string): LinkConnection | undefined {
    if (!this.linked(from).includes(to)) return undefined
    const other = this.fronts.find(({ name }) => name === to)?.router
    const isCut = () => this.#cut.has(`${from} ${to}`)
    const pass = (step: () => void) => (this.isSlow ? this.#waiting.push(step) : setImmediate(step))
    return {
      get isOpen() {
        return !isCut()
      },
      credit: 1000,
      sendBatch: (kind: 'forward', batch: Uint8Array, count: number, since: number) =>
        pass(() => other?.takeBatch(from, { kind, octets: batch, count, since })),
      sendMessage: (message: object) =>
        pass(() => other?.takeMessage(from, JSON.parse(JSON.stringify(message)))),
    } as unknown as LinkConnection
  }

  /** What waits on links arrives. */
  deliver(): void {
    for (const step of this.#waiting.splice(0)) step()
  }

  /** Time passes in steps in which everybody ticks; those who are `frozen` do not. */
  pass(milliseconds: number, frozen: readonly number[] = []): void {
    for (let passed = 0; passed < milliseconds; passed += 50) {
      vi.advanceTimersByTime(50)
      for (const [i, { router }] of this.fronts.entries())
        if (!frozen.includes(i)) router.tick(performance.now())
    }
  }
}
