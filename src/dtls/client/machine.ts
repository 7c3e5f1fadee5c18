// The states of a client: from its first hello to the end of its session.

import type { Chance } from '../crypto/chance.ts'
import { verifyData } from '../crypto/keys.ts'
import { sameSecret } from '../crypto/primitives.ts'
import { discard, type SessionInfo, type Turn } from '../effects.ts'
import {
  type AlertName,
  alertOctets,
  FATAL,
  type Failure,
  type FailureCause,
  failure,
  WARNING,
} from '../failure.ts'
import { readNewSessionTicket } from '../handshake/bodies.ts'
import { type FlightLimits, type FlightPart, packFlight } from '../handshake/flight.ts'
import {
  FINISHED,
  HELLO_VERIFY_REQUEST,
  type Message,
  NEW_SESSION_TICKET,
  SERVER_HELLO,
} from '../handshake/messages.ts'
import { hexOf } from '../octets.ts'
import { Channel } from '../record/channel.ts'
import { ALERT, APPLICATION_DATA, LONGEST_PLAINTEXT } from '../record/record.ts'
import { beginHandshake, receiveServerHello, receiveVerifyRequest } from './hello.ts'
import {
  type ClientOptions,
  type ClientResumption,
  type ClientSettings,
  clientSettingsOf,
} from './options.ts'
import { infoOf, resumptionOf } from './result.ts'
import {
  receiveServerMessage,
  stateAfterHello,
  unexpected,
  useMaster,
  writeAnswer,
  writeFinished,
} from './server-flight.ts'
import type { ClientHandshake, ClientState } from './state.ts'

/** The number of the one session in effects. */
export const CLIENT_SESSION = 1

/** One handshake and one session. What comes in goes through `records.ts`. */
export class ClientMachine {
  readonly settings: ClientSettings
  readonly channel = new Channel()
  state: ClientState = 'idle'
  handshake: ClientHandshake | undefined
  readonly #chance: Chance
  #info: SessionInfo | undefined
  #resumption: ClientResumption | undefined
  #longest = LONGEST_PLAINTEXT
  /** of a short handshake: the server may not have received it */
  #lastFlight: { readonly parts: FlightPart[]; readonly limits: FlightLimits } | undefined

  constructor(options: ClientOptions, chance: Chance) {
    this.settings = clientSettingsOf(options)
    this.#chance = chance
  }

  /** Sends the first hello. */
  start(turn: Turn): void {
    if (this.state !== 'idle') throw new Error('the client was started already')
    this.handshake = beginHandshake(this.settings, this.#chance, turn)
    this.state = 'hello'
    this.#sendFlight(turn)
  }

  /** One message of the application; false: no session is open, or it does not fit. */
  send(bytes: Uint8Array, turn: Turn): boolean {
    if (this.state !== 'open') return false
    if (bytes.length > this.#longest) {
      discard(turn, 'too-long')
      return false
    }
    if (this.channel.isExhausted) {
      this.close('its sequence numbers are used up', turn)
      return false
    }
    this.#put(this.channel.write(1, APPLICATION_DATA, bytes), turn)
    return true
  }

  /** The server gets close_notify. */
  close(why: string, turn: Turn): void {
    if (this.state === 'gone' || this.state === 'idle') return
    this.#sendAlert(WARNING, 'close_notify', turn)
    this.end('alert', why, turn)
  }

  due(): number {
    const { handshake } = this
    return handshake === undefined
      ? Number.POSITIVE_INFINITY
      : Math.min(handshake.deadline, handshake.repetition.at)
  }

  tick(turn: Turn): void {
    const { handshake } = this
    if (handshake === undefined) return
    if (turn.now >= handshake.deadline) {
      // a server that cannot read our Finished says nothing: it does not know the identity, or has another key for it
      const isUnread = this.state === 'finished' && handshake.suite?.exchange !== 'ecdhe-ecdsa'
      const cause = isUnread || handshake.undecrypted > 0 ? 'wrong-key' : 'timeout'
      return this.end(cause, 'the handshake was not finished in time', turn)
    }
    if (turn.now < handshake.repetition.at) return
    this.#sendFlight(turn)
    handshake.repetition.postpone(turn.now)
  }

  /** What the next client may resume with; secret. */
  get resumption(): ClientResumption | undefined {
    return this.#resumption
  }

  get info(): SessionInfo | undefined {
    return this.#info
  }

  /** A whole message of the server, in order. */
  receiveMessage(handshake: ClientHandshake, message: Message, turn: Turn): Failure | undefined {
    if (this.state === 'hello') return this.#receiveHello(handshake, message, turn)
    if (this.state === 'finished') return this.#receiveLast(handshake, message, turn)
    const next = receiveServerMessage(this.state, handshake, this.settings, message, turn)
    if (typeof next !== 'string') return next
    this.state = next
    if (next !== 'finished') return undefined
    const failed = writeAnswer(handshake, this.settings, this.channel, this.#chance)
    if (failed !== undefined) return failed
    handshake.repetition.restart(turn.now)
    this.#sendFlight(turn)
    return undefined
  }

  fail({ alert, cause, why }: Failure, turn: Turn): void {
    this.#sendAlert(FATAL, alert, turn)
    this.end(cause, why, turn)
  }

  /** Ends what there is, without a word to the server. */
  end(cause: FailureCause, why: string, turn: Turn): void {
    if (this.state === 'gone') return
    const { handshake } = this
    const wasOpen = this.state === 'open'
    this.state = 'gone'
    this.handshake = undefined
    this.#lastFlight = undefined
    handshake?.master?.fill(0)
    if (wasOpen) turn.out.push({ type: 'closed', session: CLIENT_SESSION, why })
    else {
      const { remote, psk } = this.settings
      const undecrypted = handshake?.undecrypted ?? 0
      turn.out.push({ type: 'failed', remote, identity: psk?.identity, cause, why, undecrypted })
    }
  }

  /** The server repeats its Finished: ours got lost. */
  repeatLastFlight(turn: Turn): void {
    if (this.#lastFlight === undefined) return
    const { parts, limits } = this.#lastFlight
    for (const datagram of packFlight(parts, this.channel, limits)) this.#put(datagram, turn)
  }

  /** A session that failed is not resumed [5246 7.2.2]. */
  forgetResumption(): void {
    this.#resumption = undefined
  }

  #receiveHello(handshake: ClientHandshake, message: Message, turn: Turn): Failure | undefined {
    if (message.type === HELLO_VERIFY_REQUEST) {
      const failed = receiveVerifyRequest(handshake, this.settings, message, turn)
      if (failed === undefined) this.#sendFlight(turn)
      return failed
    }
    if (message.type !== SERVER_HELLO) return unexpected()
    const failed = receiveServerHello(handshake, this.settings, this.channel, message)
    if (failed !== undefined) return failed
    if (handshake.resumed && this.settings.resume !== undefined) {
      useMaster(handshake, this.channel, Uint8Array.from(this.settings.resume.master))
      this.state = 'finished'
    } else this.state = stateAfterHello(handshake)
    return undefined
  }

  #receiveLast(handshake: ClientHandshake, { type, body, bytes }: Message, turn: Turn): Failure | undefined {
    const { master, transcript } = handshake
    if (type === NEW_SESSION_TICKET && handshake.ticketComes && handshake.ticket === undefined) {
      const ticket = readNewSessionTicket(body)
      if (ticket === undefined) return failure('decode_error', 'protocol', 'the ticket does not parse')
      handshake.ticket = Uint8Array.from(ticket)
      transcript.add(bytes)
      return undefined
    }
    if (type !== FINISHED || master === undefined || !handshake.changed) return unexpected()
    if (!sameSecret(body, verifyData(master, 'server', transcript.hash())))
      return failure('decrypt_error', 'protocol', 'its Finished is not over the same handshake')
    transcript.add(bytes)
    if (handshake.resumed) {
      handshake.flight = []
      writeFinished(handshake, master)
      this.#lastFlight = { parts: handshake.flight, limits: handshake.limits }
      this.#sendFlight(turn)
    }
    this.#open(handshake, master, turn)
    return undefined
  }

  #open(handshake: ClientHandshake, master: Uint8Array, turn: Turn): void {
    const { suite, randoms, limits } = handshake
    if (suite === undefined || randoms === undefined) throw new Error('there is no suite')
    const info = infoOf(handshake, suite, this.channel, this.settings)
    this.state = 'open'
    this.handshake = undefined
    this.#info = info
    this.#longest = limits.plaintext
    this.#resumption = resumptionOf(handshake, suite, master, this.settings)
    turn.out.push({ type: 'open', session: CLIENT_SESSION, info, remote: this.settings.remote })
    if (this.settings.keyLog)
      turn.out.push({ type: 'keylog', line: `CLIENT_RANDOM ${hexOf(randoms.client)} ${hexOf(master)}` })
    master.fill(0)
    const { remote } = this.settings
    for (const bytes of handshake.earlyData)
      turn.out.push({ type: 'data', session: CLIENT_SESSION, bytes, remote })
  }

  #sendFlight(turn: Turn): void {
    const { handshake } = this
    if (handshake === undefined) return
    for (const datagram of packFlight(handshake.flight, this.channel, handshake.limits))
      this.#put(datagram, turn)
  }

  #sendAlert(level: number, alert: AlertName, turn: Turn): void {
    const epoch = this.channel.sequence > 0 ? 1 : 0
    this.#put(this.channel.write(epoch, ALERT, alertOctets(level, alert)), turn)
  }

  #put(bytes: Uint8Array, turn: Turn): void {
    turn.out.push({ type: 'send', bytes, to: this.settings.remote })
  }
}
