// How a connection between two nodes begins: each says who it is, whoever has dialed proves first that it knows the secret, then the other.

import type { ClockOffset } from './clock-offset.ts'
import { FrameType } from './frames.ts'
import {
  createGreeting,
  type Greeting,
  type Introduction,
  isProof,
  prove,
  type Role,
  readGreeting,
  readProof,
  repeated,
  whyUnfit,
} from './greeting.ts'

const STRANGE = 'it does not speak as nodes of a cluster do'

const readRefusal = (body: Uint8Array): string => repeated(Buffer.from(body).toString('utf8'))

/** What a handshake works with. */
export interface HandshakeParts {
  readonly introduction: Introduction
  readonly secret: string | undefined
  /** whom a dialer calls; '' otherwise */
  readonly to: string
  /** learns of the other side's clock */
  readonly clock: ClockOffset
  send(type: FrameType, body: Uint8Array): void
}

/** What has come of it: `more` is to come, both sides are known, or there can be no link. */
export type HandshakeStep = 'more' | 'done' | { readonly why: string }

export class Handshake {
  readonly #role: Role
  readonly #parts: HandshakeParts
  readonly #own: Greeting
  readonly #ownOctets: Uint8Array
  #theirs: Greeting | undefined
  #theirOctets: Uint8Array = new Uint8Array()
  /** when what the other side answers was sent */
  #askedAt = 0

  constructor(role: Role, parts: HandshakeParts) {
    this.#role = role
    this.#parts = parts
    this.#own = createGreeting(parts.introduction, parts.secret, parts.to)
    this.#ownOctets = Buffer.from(JSON.stringify(this.#own))
    if (role === 'dialer') this.#greet()
  }

  /** who is at the other end, once it has said so; it is to be believed when the handshake is done */
  get theirs(): Greeting | undefined {
    return this.#theirs
  }

  /** Takes a frame. */
  take(type: number, body: Uint8Array): HandshakeStep {
    if (type === FrameType.greeting && this.#theirs === undefined) return this.#takeGreeting(body)
    if (type === FrameType.proof && this.#theirs !== undefined) return this.#takeProof(body)
    if (type === FrameType.refusal) return { why: `it will not have a link: ${readRefusal(body)}` }
    return { why: STRANGE }
  }

  /** Tells the other side why there will be no link. */
  refuse(why: string): void {
    this.#parts.send(FrameType.refusal, Buffer.from(why))
  }

  #greet(): void {
    this.#askedAt = performance.now()
    this.#parts.send(FrameType.greeting, this.#ownOctets)
  }

  #takeGreeting(body: Uint8Array): HandshakeStep {
    const theirs = readGreeting(body)
    if (theirs === undefined) return { why: STRANGE }
    this.#theirs = theirs
    this.#theirOctets = body.slice()
    // also if there can be no link: the other side says why in its log, too
    if (this.#role === 'called') this.#greet()
    const why = whyUnfit(this.#own, theirs)
    if (why !== undefined) return { why }
    if (this.#role === 'dialer') {
      this.#parts.clock.add(this.#askedAt, theirs.time, performance.now())
      this.#prove()
    }
    return 'more'
  }

  #takeProof(body: Uint8Array): HandshakeStep {
    const said = readProof(body)
    const expected = this.#proofOf(this.#role === 'dialer' ? 'called' : 'dialer')
    if (said === undefined || !isProof(expected, said.proof))
      return { why: 'it does not know the secret of this cluster (cluster.secret)' }
    if (this.#role === 'called') {
      this.#parts.clock.add(this.#askedAt, said.time, performance.now())
      this.#prove()
    }
    return 'done'
  }

  #prove(): void {
    const said = { proof: this.#proofOf(this.#role), time: performance.now() }
    this.#parts.send(FrameType.proof, Buffer.from(JSON.stringify(said)))
  }

  #proofOf(role: Role): string {
    const [own, theirs] = [this.#ownOctets, this.#theirOctets]
    const [dialer, called] = this.#role === 'dialer' ? [own, theirs] : [theirs, own]
    return prove(this.#parts.secret, role, dialer, called)
  }
}
