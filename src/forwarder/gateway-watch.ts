// Whether the gateway is there, serves, and lets this forwarder speak for nodes: asked by SEARCHGW, bare and encapsulated [5.5, 6.1].

import type { ForwardTurn, Standing } from './effects.ts'

/** T_SEARCHGW: an answer may take so long, milliseconds, unless questions come faster [7.2]. */
const WAIT = 5000
/** Of the two questions, asked at once, one was answered: the other answer takes no longer than that, milliseconds. */
const AFTER_FIRST = 1500
/** The same question so often in vain makes a standing. */
const SILENT_AFTER = 3
const REFUSING_AFTER = 2
/** Milliseconds between questions to a gateway that is silent. */
const PERSISTENT = 10_000
/** Nodes speak and nothing comes back for so long: the gateway is asked before its time, milliseconds. */
const DOUBT = 10_000
/** The first way is asked a last time before a second one takes its place. */
const LAST_WORD = 3000

/** SEARCHGW of one hop: the gateway shall answer this forwarder, not its whole network. */
const SEARCHGW = Uint8Array.of(3, 0x01, 1)
/** Answered by every gateway, if only with DISCONNECT: of one that serves nobody now, because its broker is away. */
const PINGREQ = Uint8Array.of(2, 0x16)

/** The id by which the forwarder asks for itself: of a length that no link here has. */
const OWN_ID = Uint8Array.of(0x00, 0x66, 0x77)
const ENCAPSULATED_SEARCHGW = Uint8Array.of(6, 0xfe, 0, ...OWN_ID, ...SEARCHGW)

/** Whether the gateway answers the forwarder itself, as if it were a node. */
export const isOwnId = (id: Uint8Array): boolean =>
  id.length === OWN_ID.length && id.every((octet, i) => octet === OWN_ID[i])

export class GatewayWatch {
  standing: Standing = 'away'
  gwId: number | undefined
  readonly #every: number
  readonly #wait: number
  #nextAt = Number.POSITIVE_INFINITY
  #isAsked = false
  /** what has come since the last question */
  #isHeard = false
  #isAnswered = false
  #isAccepted = false
  /** when the first message left after which nothing came */
  #sentAt: number | undefined
  #silent = 0
  #refusals = 0
  #idle = 0
  #secondWay: 'none' | 'opening' | 'open' = 'none'
  #lastWordUntil = Number.POSITIVE_INFINITY

  /** `every`: milliseconds between two questions */
  constructor(every: number) {
    this.#every = every
    this.#wait = Math.min(WAIT, every)
  }

  /** There is a way to the gateway, perhaps another than before. */
  onOpen(turn: ForwardTurn): void {
    this.#silent = this.#refusals = this.#idle = 0
    this.#secondWay = 'none'
    this.#lastWordUntil = Number.POSITIVE_INFINITY
    this.#settle('unknown', turn)
    this.#ask(turn)
  }

  /** There is none any more. */
  onClosed(turn: ForwardTurn): void {
    this.#nextAt = this.#lastWordUntil = Number.POSITIVE_INFINITY
    this.#secondWay = 'none'
    this.#settle('away', turn)
  }

  /** Something came from the gateway; `encapsulated`: it takes what nodes say. */
  onHeard(encapsulated: boolean, turn: ForwardTurn): void {
    this.#isHeard = true
    this.#sentAt = undefined
    if (encapsulated) this.#isAccepted = true
    if (this.#secondWay !== 'none') {
      this.#secondWay = 'none'
      this.#lastWordUntil = Number.POSITIVE_INFINITY
      turn.out.push({ type: 'abandon' })
    }
    // also an answer that took longer than is waited for
    if (this.#isAsked || this.standing !== 'serving') this.#judgeEarly(turn)
  }

  /** Something of a node goes to the gateway. */
  onSent(now: number): void {
    this.#sentAt ??= now
    if (this.#isAsked || now - this.#sentAt < DOUBT) return
    this.#nextAt = Math.min(this.#nextAt, now)
    this.#sentAt = now
  }

  /** GWINFO, bare or for a node; or ADVERTISE. */
  onGwId(gwId: number, turn: ForwardTurn): void {
    const isNew = gwId !== this.gwId
    this.gwId = gwId
    this.#isAnswered = true
    if (isNew && this.standing === 'serving') turn.out.push({ type: 'standing', standing: 'serving', gwId })
  }

  /** The second way that `renew` asked for is open: it is taken unless the first one answers a last question. */
  onSecondWay(turn: ForwardTurn): void {
    if (this.#secondWay !== 'opening') return void turn.out.push({ type: 'abandon' })
    this.#secondWay = 'open'
    this.#lastWordUntil = turn.now + LAST_WORD
    this.#ask(turn)
  }

  /** It could not be opened. */
  onNoSecondWay(): void {
    this.#secondWay = 'none'
  }

  /** When `tick` is due; Infinity = never. */
  due(): number {
    return Math.min(this.#nextAt, this.#lastWordUntil)
  }

  tick(turn: ForwardTurn): void {
    if (turn.now >= this.#lastWordUntil) {
      this.#lastWordUntil = Number.POSITIVE_INFINITY
      this.#secondWay = 'none'
      return void turn.out.push({ type: 'adopt' })
    }
    if (turn.now < this.#nextAt) return
    if (!this.#isAsked) return this.#ask(turn)
    this.#isAsked = false
    if (this.#isAnswered) this.#judgeAnswer(turn)
    else if (this.#isHeard) this.#judgeIdle(turn)
    else this.#judgeSilence(turn)
  }

  #ask({ now, out }: ForwardTurn): void {
    this.#isHeard = this.#isAnswered = this.#isAccepted = false
    this.#isAsked = true
    this.#nextAt = now + this.#wait
    out.push({ type: 'toGateway', bytes: SEARCHGW }, { type: 'toGateway', bytes: ENCAPSULATED_SEARCHGW })
    if (this.#silent + this.#idle > 0) out.push({ type: 'toGateway', bytes: PINGREQ })
  }

  #later({ now }: ForwardTurn, pause: number): void {
    this.#isAsked = false
    this.#nextAt = now + pause
  }

  /** Of what was asked for all has come, or one half: little or nothing is to be waited for. */
  #judgeEarly(turn: ForwardTurn): void {
    if (this.#isAnswered && this.#isAccepted) this.#judgeAnswer(turn)
    else if (this.#isAnswered && this.#isAsked) this.#nextAt = Math.min(this.#nextAt, turn.now + AFTER_FIRST)
  }

  #judgeAnswer(turn: ForwardTurn): void {
    this.#silent = this.#idle = 0
    this.#refusals = this.#isAccepted ? 0 : this.#refusals + 1
    if (this.#isAccepted) this.#settle('serving', turn)
    else if (this.#refusals >= REFUSING_AFTER) this.#settle('refusing', turn)
    const isClear = this.#isAccepted || this.#refusals >= REFUSING_AFTER
    this.#later(turn, isClear ? this.#every : 0)
  }

  #judgeIdle(turn: ForwardTurn): void {
    this.#silent = 0
    this.#idle++
    if (this.#idle >= SILENT_AFTER) this.#settle('not-serving', turn)
    this.#later(turn, this.#idle >= SILENT_AFTER ? this.#every : 0)
  }

  #judgeSilence(turn: ForwardTurn): void {
    this.#silent++
    if (this.#silent >= SILENT_AFTER) this.#settle('silent', turn)
    if (this.#silent % SILENT_AFTER === 0 && this.#secondWay === 'none') {
      this.#secondWay = 'opening'
      turn.out.push({ type: 'renew' })
    }
    this.#later(turn, this.#silent >= SILENT_AFTER ? Math.min(PERSISTENT, this.#every) : 0)
  }

  #settle(standing: Standing, turn: ForwardTurn): void {
    if (standing === this.standing) return
    this.standing = standing
    turn.out.push({ type: 'standing', standing, gwId: this.gwId })
  }
}
