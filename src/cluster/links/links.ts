// The links of this node: one connection to each of the others, which the one with the smaller name makes. Who calls is nobody until it
// has shown that it belongs to the cluster.

import { createServer, type Server, type Socket } from 'node:net'
import type { ClusterLink, RefusedLink } from '../../console/contract/cluster.ts'
import type { NodeLog } from '../node-words.ts'
import type { SlotOwners } from '../owners.ts'
import { CREDIT, type LinkBatch, LinkConnection } from './connection.ts'
import { type Introduction, repeated } from './greeting.ts'
import { type LinkAddress, linkAddressOf, Peering } from './peering.ts'

/** Connections whose other side has not shown yet who it is; the oldest gives way. */
const MOST_CALLING = 64
/** Milliseconds between lines of the log about those who were refused. */
const REFUSAL_PAUSE = 10_000

/** Who is told of what comes over links. */
export interface LinkEvents {
  /** these two: false if nobody understands it, which ends the link */
  batch(node: string, batch: LinkBatch): boolean
  message(node: string, message: unknown): boolean
  /** a link has come or gone */
  changed(node: string, isUp: boolean): void
}

/** What links are opened with. */
export interface LinksParts {
  readonly secret: string | undefined
  readonly log: NodeLog
}

/** What this node says of itself, but for the number that it is given as a member. */
export type AboutNode = Omit<Introduction, 'incarnation'>

const nobody: LinkEvents = { batch: () => true, message: () => true, changed() {} }

/** One object for the life of a process. */
export class Links {
  readonly #parts: LinksParts
  readonly #server: Server
  readonly #peerings = new Map<string, Peering>()
  readonly #calling = new Set<LinkConnection>()
  /** those that are or were the link to a node */
  readonly #linked = new WeakSet<LinkConnection>()
  #about: AboutNode | undefined
  #introduction: Introduction | undefined
  #events = nobody
  #owners: SlotOwners | undefined
  #endWatch: () => void = () => {}
  #isClosed = false
  /** connections that were refused */
  refused = 0
  #refusedAt = Number.NEGATIVE_INFINITY
  #lastRefused: (Omit<RefusedLink, 'ago'> & { readonly at: number }) | undefined

  private constructor(parts: LinksParts) {
    this.#parts = parts
    this.#server = createServer((socket) => this.#onCall(socket))
    this.#server.unref()
  }

  /** Listens for other nodes; rejects if that cannot be. Nobody is answered before `begin`. */
  static async listen({ host, port }: LinkAddress, parts: LinksParts): Promise<Links> {
    const links = new Links(parts)
    const server = links.#server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, () => {
        server.off('error', reject)
        resolve()
      })
    })
    server.on('error', (err) => parts.log.warn({ err }, 'the port for links to other nodes has failed'))
    return links
  }

  /** where other nodes call */
  get port(): number {
    const bound = this.#server.address()
    return bound === null || typeof bound === 'string' ? 0 : bound.port
  }

  /** From the moment when this node is a member on, it has links to all others. */
  begin(about: AboutNode, owners: SlotOwners, events: LinkEvents): void {
    this.#about = about
    this.#owners = owners
    this.#events = events
    this.#endWatch()
    this.#endWatch = owners.onChange(() => this.#reconcile())
    this.#reconcile()
  }

  /** The link to a node, if it is up. */
  to(node: string): LinkConnection | undefined {
    const connection = this.#peerings.get(node)?.connection
    return connection?.isOpen ? connection : undefined
  }

  /** The nodes to which there are links. */
  up(): string[] {
    return [...this.#peerings.values()].filter(({ isUp }) => isUp).map(({ node }) => node)
  }

  /** All that there are or should be. */
  states(): ClusterLink[] {
    const now = performance.now()
    return [...this.#peerings.values()]
      .map(({ node, isUp, since, why, connection }) => ({
        ...{ node, isUp, lasting: Math.round(now - since), why: isUp ? undefined : why },
        trip: isUp ? connection?.trip : undefined,
        underWay: isUp ? (connection?.underWay ?? 0) : 0,
        mostUnderWay: CREDIT,
      }))
      .sort((a, b) => (a.node < b.node ? -1 : 1))
  }

  get lastRefused(): RefusedLink | undefined {
    if (this.#lastRefused === undefined) return undefined
    const { at, ...rest } = this.#lastRefused
    return { ago: Math.round(performance.now() - at), ...rest }
  }

  close(): void {
    this.#isClosed = true
    this.#endWatch()
    this.#events = nobody
    this.#server.close()
    for (const peering of this.#peerings.values()) peering.end('this node ends')
    for (const connection of [...this.#calling]) connection.close('this node ends')
  }

  #reconcile(): void {
    const all = this.#owners?.members() ?? []
    const self = all.find(({ isSelf }) => isSelf)
    if (this.#about === undefined || this.#isClosed) return
    if (self !== undefined) this.#introduction = { ...this.#about, incarnation: self.incarnation }
    if (this.#introduction === undefined) return
    const members = all.filter(({ isSelf }) => !isSelf)
    for (const { node, address, incarnation } of members) {
      const at = address === undefined ? undefined : linkAddressOf(address)
      if (at === undefined) continue
      const peering = this.#peeringOf(node)
      const linked = peering.connection?.theirs
      if (peering.isUp && linked !== undefined && linked.incarnation < incarnation)
        peering.connection?.close('its process was replaced by another one')
      peering.reachAt(at)
    }
    for (const [node, peering] of this.#peerings) {
      // one that is not in the table yet may be linked already
      if (peering.address === undefined || members.some((member) => member.node === node)) continue
      this.#peerings.delete(node)
      peering.end('it is no member any more')
    }
  }

  #peeringOf(node: string): Peering {
    const known = this.#peerings.get(node)
    if (known !== undefined) return known
    const isDialer = (this.#introduction?.node ?? '') < node
    const dialed = (socket: Socket): LinkConnection => this.#connect(socket, 'dialer', node)
    const peering = new Peering({ node, dialed: isDialer ? dialed : undefined, log: this.#parts.log })
    this.#peerings.set(node, peering)
    return peering
  }

  #onCall(socket: Socket): void {
    if (this.#introduction === undefined || this.#isClosed) {
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    for (const oldest of this.#calling) {
      if (this.#calling.size < MOST_CALLING) break
      oldest.close('others call that may be of the cluster')
    }
    this.#calling.add(this.#connect(socket, 'called', undefined))
  }

  /** `expected`: who was called. */
  #connect(socket: Socket, role: 'dialer' | 'called', expected: string | undefined): LinkConnection {
    const { remoteAddress } = socket
    return new LinkConnection(socket, role, {
      introduction: this.#introduction as Introduction,
      secret: this.#parts.secret,
      to: expected ?? '',
      events: {
        opened: (connection) => this.#onOpened(connection, expected),
        batch: ({ theirs }, batch) => this.#events.batch(theirs?.node ?? '', batch),
        message: ({ theirs }, message) => this.#events.message(theirs?.node ?? '', message),
        closed: (connection, why) => this.#onClosed(connection, why, expected, remoteAddress),
      },
    })
  }

  #onOpened(connection: LinkConnection, expected: string | undefined): void {
    this.#calling.delete(connection)
    const { node, incarnation } = connection.theirs ?? { node: '', incarnation: 0 }
    if (expected !== undefined && node !== expected)
      return connection.close(`node ${node} answers at its address`)
    if (expected === undefined && node > (this.#introduction?.node ?? ''))
      return connection.close('it is not for that node to call')
    const peering = this.#peeringOf(node)
    const known = this.#owners?.members().find((member) => member.node === node)
    if (known !== undefined && known.incarnation > incarnation)
      return connection.close('its process was replaced by another one')
    this.#linked.add(connection)
    peering.noteUp(connection)
    this.#owners?.look() // who is linked before it was seen is a new member
    this.#events.changed(node, true)
  }

  #onClosed(
    connection: LinkConnection,
    why: string,
    expected: string | undefined,
    remote: string | undefined,
  ): void {
    this.#calling.delete(connection)
    const peering = this.#peerings.get(expected ?? connection.theirs?.node ?? '')
    const wasUp = peering?.connection === connection
    if (peering !== undefined && wasUp) peering.connection = undefined
    if (expected === undefined && !this.#linked.has(connection)) this.#noteRefusal(connection, why, remote)
    else if (peering !== undefined && peering.connection === undefined) peering.noteDown(why, wasUp)
    if (!wasUp || peering === undefined) return
    if (peering.address === undefined) this.#peerings.delete(peering.node)
    this.#owners?.look() // perhaps its process is gone
    this.#events.changed(peering.node, false)
  }

  #noteRefusal(connection: LinkConnection, why: string, remote: string | undefined): void {
    if (this.#isClosed) return
    this.refused += 1
    const now = performance.now()
    const node = connection.theirs && repeated(connection.theirs.node)
    this.#lastRefused = { at: now, address: remote, node, why }
    const from = { remote, node, why, refused: this.refused }
    if (now - this.#refusedAt < REFUSAL_PAUSE) return this.#parts.log.debug(from, 'a link was refused')
    this.#refusedAt = now
    this.#parts.log.warn(from, 'a link was refused')
  }
}
