// What sensors that share a connection send: in turns, as much at once as the broker takes, and alone what it may hang up at.

import { createFlight, type Flight } from './flight.ts'
import type { Member } from './port.ts'
import type { Doubts } from './routing/doubts.ts'
import { FairLines } from './routing/fair-lines.ts'

/** Requests of one sensor that may wait. */
const MOST_WAITING = 64

/** A broker that hangs up at something does so at once, milliseconds. */
const PROMPT = 10_000

/** What a turnstile leads to. */
export interface TurnstileExit {
  /** Gives it to the broker. */
  send(flight: Flight): void
  /** Milliseconds until one more publish may be sent; 0: now, and it is counted. */
  pauseBeforePublish(): number
  /** Asks for a sign of life, which comes after the answers to all before; returns its number. */
  ping(): number
}

/** One per shared connection, over all its network connections. */
export class Turnstile {
  /** under way at the broker, by packet identifier */
  readonly flights = new Map<number, Flight>()
  readonly lines = new FairLines<Member | undefined, Flight>()
  readonly #doubts: Doubts<Member>
  readonly #exit: TurnstileExit
  readonly #now: () => number
  #window = 0
  /** it has its turn, but has to wait for others to end */
  #next: Flight | undefined
  #alone: Flight | undefined
  #fence: { readonly ping: number; readonly mark: number } | undefined
  #timer: NodeJS.Timeout | undefined
  #pacer: NodeJS.Timeout | undefined
  #sentAt = Number.NEGATIVE_INFINITY

  constructor(doubts: Doubts<Member>, exit: TurnstileExit, now: () => number) {
    this.#doubts = doubts
    this.#exit = exit
    this.#now = now
  }

  /** Nothing has to wait but for the window. */
  get isClear(): boolean {
    return (
      this.#doubts.isEmpty && this.#alone === undefined && this.#next === undefined && this.lines.size === 0
    )
  }

  /** The same, and a publish of QoS 0 may go now. It is counted then. */
  get isFree(): boolean {
    return this.isClear && this.#exit.pauseBeforePublish() === 0
  }

  get waiting(): number {
    return this.lines.size + (this.#next === undefined ? 0 : 1)
  }

  /** A connection is there, which takes so many publishes at once. */
  open(window: number): void {
    this.#window = window
  }

  /** Sends it, or puts it in line; false if too much of its sensor waits. */
  submit(flight: Flight): boolean {
    if (this.isClear && this.#maySend(flight)) {
      this.#send(flight)
      return true
    }
    const { member } = flight
    if (member !== undefined && flight.kind === 'publish' && this.lines.lengthOf(member) >= MOST_WAITING)
      return false
    this.lines.push(member, flight)
    this.pump()
    return true
  }

  /** The broker has answered it for good. */
  settle(flight: Flight): void {
    this.flights.delete(flight.packetId)
    this.prove(flight)
    this.pump()
  }

  /** The broker has taken it, whatever follows. */
  prove(flight: Flight): void {
    this.#doubts.prove(flight.mark)
    if (!this.#doubts.isEmpty) this.#doubts.delete(flight)
    if (this.#alone === flight) this.#proceed()
  }

  /** The broker has answered so many pings. */
  ponged(pings: number): void {
    if (this.#fence === undefined || pings < this.#fence.ping) return
    this.#doubts.prove(this.#fence.mark)
    this.#fence = undefined
    if (this.#alone?.qos === 0 && this.#alone.kind === 'publish') this.prove(this.#alone)
    this.pump()
  }

  /** Sends what is next, as far as the broker takes it. */
  pump(): void {
    while (this.#alone === undefined) {
      const flight = this.#next ?? this.lines.take()
      this.#next = undefined
      if (flight === undefined) return
      if (this.#doubts.has(flight)) return this.#tryAlone(flight)
      if (!this.#maySend(flight)) {
        this.#next = flight
        return
      }
      this.#send(flight)
    }
  }

  /** Whether the broker takes it now; if only the rate is in the way, it is tried again in time. */
  #maySend({ kind, qos }: Flight): boolean {
    if (qos !== 0 && this.flights.size >= this.#window) return false
    const pause = kind === 'publish' ? this.#exit.pauseBeforePublish() : 0
    if (pause > 0) this.#pacer ??= setTimeout(() => this.#paced(), pause)
    return pause === 0
  }

  #paced(): void {
    this.#pacer = undefined
    this.pump()
  }

  /** A sensor has gone: what it has in line is not sent any more. */
  leave(member: Member): void {
    this.lines.drop(member)
    if (this.#next?.member === member) {
      this.#next = undefined
      this.pump()
    }
  }

  /**
   * The connection broke. Returns what was under way alone, if one request was, and whether it was in doubt before; of several, all
   * are in doubt.
   */
  break(): { readonly flight: Flight; readonly again: boolean } | undefined {
    const now = this.#now()
    const isPrompt = now - this.#sentAt < PROMPT
    const suspects = isPrompt ? [...this.flights.values()].filter(({ topic }) => topic !== '') : []
    for (const { member, topic, retain, length } of this.#doubts.takeRecent(now))
      suspects.push(createFlight({ member, topic, retain, payload: new Uint8Array(length), qos: 0 }))
    const [flight, other] = suspects
    const again = flight !== undefined && this.#doubts.has(flight)
    for (const suspect of suspects) this.#doubts.add(suspect)
    return flight === undefined || other !== undefined ? undefined : { flight, again }
  }

  /** Forgets all that is under way or waits. */
  close(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#pacer)
    this.#timer = undefined
    this.#pacer = undefined
    this.flights.clear()
    this.lines.clear()
    this.#next = undefined
    this.#alone = undefined
    this.#fence = undefined
    this.#window = 0
  }

  #tryAlone(flight: Flight): void {
    this.#timer ??= setTimeout(() => this.#giveUpWaiting(), PROMPT)
    if (this.flights.size > 0 || !this.#doubts.isProven) {
      this.#next = flight
      if (this.flights.size === 0) this.#raiseFence()
      return
    }
    this.#alone = flight
    this.#send(flight)
    if (flight.qos === 0 && flight.kind === 'publish') this.#raiseFence()
  }

  #raiseFence(): void {
    this.#fence ??= { ping: this.#exit.ping(), mark: this.#doubts.mark }
  }

  /** A broker that has not hung up by now will not, and may never answer: that must not stop everything else. */
  #giveUpWaiting(): void {
    this.#timer = undefined
    const flight = this.#alone ?? this.#next
    if (flight !== undefined) this.#doubts.delete(flight)
    this.#alone = undefined
    this.pump()
  }

  #proceed(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#alone = undefined
  }

  #send(flight: Flight): void {
    flight.mark = this.#doubts.mark
    flight.phase = 'sent'
    this.#sentAt = this.#now()
    this.#exit.send(flight)
  }
}
