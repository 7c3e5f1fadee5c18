// A forwarder as a pure core [5.5]: messages of nodes are put into encapsulations for the gateway, and what the gateway says is
// taken out of them for its node. Octets and time in, effects out.

import {
  encapsulationLength,
  isEncapsulated,
  LONGEST_NODE_ID,
  messageStart,
  unwrapMessage,
  wrapMessage,
} from '../codec/envelope.ts'
import { headerLength, msgTypeAt } from '../codec/header.ts'
import { MsgType } from '../codec/v1/messages.ts'
import { ForwardBooks } from './books.ts'
import type { ForwardTurn, NodeRemote } from './effects.ts'
import { GatewayWatch, isOwnId } from './gateway-watch.ts'
import { HeldMessages } from './held-messages.ts'
import { encapsulate, faultOf, isUnrepeated } from './message-shape.ts'
import { addressOfId, idOfAddress, isBroadcastId, keyOfId, type Radio } from './node-ids.ts'
import { NodeTable } from './node-table.ts'

/** One link to nodes. */
export interface ForwardLink {
  /** `wire`: one node is there. `encap`: messages come encapsulated with the ids of their nodes. `many`: their addresses are their ids */
  readonly kind: 'wire' | 'encap' | 'many'
  /** octets before the own ids of its nodes; of a wire the whole id */
  readonly node: Uint8Array
  /** where what goes to a node is sent that was never heard; absent: to no such node */
  readonly unheard?: NodeRemote | Radio | undefined
  /** octets of the longest message for its nodes, at this moment */
  longest(): number
  /** messages that it takes before it is full */
  room(): number
}

export interface ForwarderOptions {
  readonly links: readonly ForwardLink[]
  /** octets of the longest message to the gateway, encapsulation included */
  readonly longest: number
  /** what is encapsulated already is encapsulated once more */
  readonly nested: boolean
  /** SEARCHGW of nodes is answered here while the gateway serves */
  readonly answerSearch: boolean
  /** milliseconds between two questions to the gateway */
  readonly keepalive: number
}

/** A link that was full is looked at again after so many milliseconds. */
const AGAIN = 20
const NO_ID = new Uint8Array()

export class Forwarder {
  readonly books = new ForwardBooks()
  readonly watch: GatewayWatch
  readonly #options: ForwarderOptions
  readonly #nodes = new NodeTable()
  readonly #held: readonly HeldMessages[]
  #drainAt = Number.POSITIVE_INFINITY

  constructor(options: ForwarderOptions) {
    this.#options = options
    this.watch = new GatewayWatch(options.keepalive)
    this.#held = options.links.map(() => new HeldMessages())
  }

  /** nodes that are remembered */
  get nodes(): number {
    return this.#nodes.size
  }

  /** messages that wait for this link */
  heldFor(link: number): number {
    return this.#held[link]?.length ?? 0
  }

  /** A message of a node; its octets are the core's from now on. */
  fromNode(link: number, bytes: Uint8Array, remote: NodeRemote, turn: ForwardTurn): void {
    const { links, nested, longest } = this.#options
    const plan = links[link]
    if (plan === undefined) return
    const isInside = plan.kind === 'encap'
    const wrong = faultOf(bytes, isInside ? 'encapsulated' : nested ? 'either' : 'bare')
    if (wrong !== undefined) return this.books.drop(wrong)
    const start = isInside ? (messageStart(bytes) ?? 0) : 0
    const own = isInside
      ? bytes.subarray(encapsulationLength(0), start)
      : plan.kind === 'wire'
        ? NO_ID
        : idOfAddress(remote.address, remote.port)
    const begin = encapsulationLength(plan.node.length + own.length)
    const id = new Uint8Array(begin - encapsulationLength(0))
    if (id.length > LONGEST_NODE_ID) return this.books.drop('oversized')
    id.set(plan.node)
    id.set(own, plan.node.length)
    if (begin + bytes.length - start > longest) return this.books.drop('oversized')
    this.#nodes.note(keyOfId(id), link, remote, turn.now)
    if (msgTypeAt(bytes, start) === MsgType.searchgw && this.#answersSearch())
      return this.#answerSearch(link, isInside ? bytes.slice(0, start) : NO_ID, remote, turn)
    if (this.watch.standing === 'away') return this.books.drop('upstream-down')
    const out = new Uint8Array(begin + bytes.length - start)
    wrapMessage(out, begin, id, 0)
    out.set(start === 0 ? bytes : bytes.subarray(start), begin)
    this.books.up.messages++
    this.books.up.octets += bytes.length - start
    this.watch.onSent(turn.now)
    turn.out.push({ type: 'toGateway', bytes: out })
  }

  /** A datagram of the gateway; its octets are the core's from now on. */
  fromGateway(bytes: Uint8Array, turn: ForwardTurn): void {
    if (!isEncapsulated(bytes)) return this.#hearGateway(bytes, turn)
    const envelope = unwrapMessage(bytes)
    if (envelope === undefined) return this.books.drop('malformed: encapsulation')
    const { nodeId, radius, start } = envelope
    const message = bytes.subarray(start)
    const wrong = faultOf(message, this.#options.nested ? 'either' : 'bare')
    if (wrong !== undefined) return this.books.drop(wrong)
    this.#learnGwId(message, turn)
    this.watch.onHeard(true, turn)
    if (isOwnId(nodeId)) return
    const known = this.#nodes.find(keyOfId(nodeId)) ?? this.#unheard(nodeId, radius)
    if (known === undefined) return this.books.drop('unknown-node')
    this.#send(known.link, nodeId, radius, message, known.remote, turn)
  }

  /** When `tick` is due; Infinity = never. */
  due(): number {
    return Math.min(this.watch.due(), this.#drainAt)
  }

  tick(turn: ForwardTurn): void {
    if (turn.now >= this.watch.due()) this.watch.tick(turn)
    if (turn.now >= this.#drainAt) this.#drain(turn)
  }

  #answersSearch(): boolean {
    return this.#options.answerSearch && this.watch.standing === 'serving' && this.watch.gwId !== undefined
  }

  /** GWINFO as from the gateway itself, to the node that asked alone. `envelope`: what its own message had in front. */
  #answerSearch(link: number, envelope: Uint8Array, remote: NodeRemote, { out }: ForwardTurn): void {
    const bytes = Uint8Array.of(...envelope, 3, MsgType.gwinfo, this.watch.gwId ?? 0)
    this.books.searches++
    out.push({ type: 'toNode', link, bytes, remote })
  }

  /** What the gateway says to the forwarder itself. */
  #hearGateway(bytes: Uint8Array, turn: ForwardTurn): void {
    const wrong = faultOf(bytes, 'bare')
    if (wrong !== undefined) return this.books.drop(wrong)
    const type = msgTypeAt(bytes)
    const isForUs = type === MsgType.gwinfo || type === MsgType.advertise || type === MsgType.disconnect
    this.#learnGwId(bytes, turn)
    this.watch.onHeard(false, turn)
    if (!isForUs) this.books.drop('unasked')
  }

  #learnGwId(message: Uint8Array, turn: ForwardTurn): void {
    const type = msgTypeAt(message)
    const gwId = message[headerLength(message)]
    if (gwId === undefined || (type !== MsgType.gwinfo && type !== MsgType.advertise)) return
    this.watch.onGwId(gwId, turn)
  }

  /** Where a node is that was never heard: on the link whose ids begin so, if that can send there. */
  #unheard(nodeId: Uint8Array, radius: number): Target | undefined {
    for (const [link, { kind, node, unheard }] of this.#options.links.entries()) {
      if (!node.every((octet, i) => octet === nodeId[i])) continue
      const own = nodeId.subarray(node.length)
      if (kind === 'wire' ? own.length > 0 : own.length === 0) continue
      if (kind === 'many' && radius > 0 && isBroadcastId(own)) return { link, remote: undefined }
      if (unheard === undefined) continue
      if (typeof unheard !== 'string') return { link, remote: unheard }
      const address = addressOfId(unheard, own)
      if (address !== undefined) return { link, remote: { address, port: 0 } }
    }
    return undefined
  }

  #send(
    link: number,
    nodeId: Uint8Array,
    radius: number,
    message: Uint8Array,
    remote: NodeRemote | undefined,
    turn: ForwardTurn,
  ): void {
    const plan = this.#options.links[link]
    const held = this.#held[link]
    if (plan === undefined || held === undefined) return
    const bytes =
      plan.kind === 'encap' ? encapsulate(message, nodeId.subarray(plan.node.length), radius) : message
    if (bytes.length > plan.longest()) return this.books.drop('too-long')
    if (remote === undefined) turn.out.push({ type: 'toAllNodes', link, bytes, radius })
    else if (!isUnrepeated(message) || (held.length === 0 && plan.room() > 0))
      turn.out.push({ type: 'toNode', link, bytes, remote })
    else if (held.add(bytes, remote)) this.#drainAt = Math.min(this.#drainAt, turn.now + AGAIN)
    else return this.books.drop('queue-full')
    this.books.down.messages++
    this.books.down.octets += message.length
  }

  /** What was held leaves as far as there is room now. */
  #drain({ now, out }: ForwardTurn): void {
    let isMore = false
    for (const [link, plan] of this.#options.links.entries()) {
      const held = this.#held[link]
      if (held === undefined || held.length === 0) continue
      for (const one of held.take(Math.max(0, Math.floor(Math.min(plan.room(), held.length)))))
        out.push({ type: 'toNode', link, ...one })
      isMore ||= held.length > 0
    }
    this.#drainAt = isMore ? now + AGAIN : Number.POSITIVE_INFINITY
  }
}

interface Target {
  readonly link: number
  /** undefined: all nodes there */
  readonly remote: NodeRemote | undefined
}
