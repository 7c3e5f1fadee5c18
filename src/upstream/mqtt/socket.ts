// One network connection to the broker, from CONNECT to its end: octets to packets and back, nothing of what they mean.

import type { Duplex } from 'node:stream'
import { generate, type IConnackPacket } from 'mqtt-packet'
import type { Will } from '../../session/message.ts'
import { type Ending, endingOf, UNEXPLAINED } from '../reason-codes.ts'
import { reasonText } from '../reason-names.ts'
import type { ConnectOptions } from '../upstream.ts'
import type { Endpoint } from './brokers/endpoints.ts'
import type { Way } from './brokers/ways.ts'
import type { SocketOwner, SocketParts } from './connection-parts.ts'
import { type Failure, failureOf, isSilentEnd, NOT_NOW, noConnack, refusal } from './failures/failure.ts'
import { describeError, type SystemError } from './failures/system-error.ts'
import { explainTls, foreignProtocol, watchHandshake } from './failures/tls-mistakes.ts'
import type { Kept, Pulse } from './keepalive.ts'
import type { Abilities, Ability } from './limits/abilities.ts'
import { hasLeft, isTooMuch } from './limits/backlog.ts'
import { connectPacket, negotiated, type Version, windowOf } from './negotiation.ts'
import { isConnecting, sayConnect } from './opening.ts'
import type { FromBroker, Published, Unusable } from './packets/decoder.ts'
import { Framing } from './packets/framing.ts'
import { farewell, PINGREQ, willPackets } from './packets/octets.ts'

/** messages of a resumed session that may come before CONNACK */
const MAX_EARLY = 64

/** An attempt, then a connection. Detached (by `end`, or by ending itself) it reports nothing any more. */
export class BrokerSocket implements Kept {
  readonly version: Version
  /** which broker it goes to */
  readonly endpoint: Endpoint
  /** CONNACK came and was good */
  open = false
  place: ReturnType<Way['arrived']>
  congested = false
  ability: Ability
  readonly abilities: Abilities
  /** QoS 1 and 2 publishes that are sent at once */
  window = 0
  /** whether messages can tell which subscriptions they come for */
  identifiers = false
  readonly #parts: SocketParts
  readonly #clientId: string
  /** it is the gateway's own */
  readonly isOwn: boolean
  readonly #stream: Duplex
  readonly #clean: boolean
  /** seconds */
  readonly #keepAlive: number
  readonly #will: Will | undefined
  /** the broker waits while the gateway is away: it keeps the session for a while, and delays the will */
  readonly #patient: boolean
  readonly #framing: Framing
  #owner: SocketOwner | undefined
  readonly #inHandshake: () => boolean
  #way: Way | undefined // until it is open
  #isFirst = true
  #error: SystemError | undefined
  #deadline: NodeJS.Timeout | undefined
  #pulse: Pulse | undefined
  #pings = 0
  #pongs = 0
  /** octets that earlier ticks left waiting */
  #backlog = 0
  /** Mosquitto 2.0 over WebSocket sends a resumed session's messages before CONNACK. */
  #early: (Published | Unusable)[] | undefined

  /** Starts the attempt. Throws if the identity cannot be used: its certificate, or a password without a name. */
  constructor(
    parts: SocketParts,
    endpoint: Endpoint,
    options: ConnectOptions,
    version: Version,
    owner: SocketOwner,
  ) {
    const isOwn = options.identity === parts.options.own
    const will = options.will && parts.abilities.will(options.will, isOwn)
    const connect = connectPacket(parts.options, { ...options, will }, version)
    const octets = generate(connect)
    this.version = version
    this.endpoint = endpoint
    this.#parts = parts
    this.abilities = parts.abilities
    this.#clientId = options.identity.clientId
    this.isOwn = isOwn
    this.#clean = connect.clean
    this.#keepAlive = connect.keepalive
    this.#will = will
    this.ability = parts.abilities.initial
    this.#framing = new Framing(parts.options.maximumIncomingPacket)
    this.#patient = version === 5 && parts.options.absenceSeconds > 0
    this.#owner = owner
    this.#way = endpoint.ways.next()
    this.#stream = endpoint.open(options.identity, (chunk) => this.#take(chunk), this.#way.options)
    this.#inHandshake = watchHandshake(this.#stream)
    this.#stream.on('error', (error) => {
      this.#error ??= error
    })
    this.#stream.on('close', () => this.#over(this.#error)).on('end', () => this.#over(this.#error))
    sayConnect(this.#stream, octets, parts.options.mayConnect, () => this.#cut()?.failed(NOT_NOW))
    const late = (): void => this.#fail(noConnack(isConnecting(this.#stream)))
    this.#deadline = setTimeout(late, parts.options.connectTimeout)
  }

  /** Sends what was written within a tick as one, or for many sensors within a turn of the event loop; nothing once it has ended. */
  write(octets: Uint8Array): void {
    if (this.#owner === undefined) return
    const stream = this.#stream
    if (stream.writableCorked === 0) {
      this.#backlog = stream.writableLength
      stream.cork()
      if (this.#parts.carriesMany) setImmediate(uncork, stream)
      else process.nextTick(uncork, stream)
    }
    stream.write(octets)
    const { options, counts } = this.#parts
    if (this.congested || !isTooMuch(stream, this.#backlog, options, counts.connected)) return
    this.congested = true
    this.#owner?.congested(true)
    stream.once('drain', () => {
      this.congested = false
      this.#owner?.congested(false)
    })
  }

  /**
   * Ends it: reports nothing more, and sends DISCONNECT or lets the broker publish the will. Where the broker would wait
   * with that, and Mosquitto 2.0 for the whole delay even if the session is over, it is published here, in QoS 2 as well
   * without waiting for an answer. `packetId`: one that is not in use.
   */
  end(publishWill: boolean, final: boolean, packetId: number): void {
    const here = publishWill && this.open && this.#patient
    for (const one of willPackets(this.version, here ? this.#will : undefined, packetId)) this.write(one)
    this.#detach()
    const last = farewell(this.version, publishWill && !here, final && this.#patient)
    this.#parts.endings.end(this.#clientId, this.#stream, last)
  }

  /** Whether CONNECT, and all that was written since, has left this process. */
  isFlushed(): boolean {
    return !isConnecting(this.#stream) && !this.#inHandshake() && hasLeft(this.#stream)
  }

  /** Ends the stream without a word; `end` is to follow. */
  readonly cut = (): void => void this.#stream.destroy()

  ping(): number {
    this.write(PINGREQ)
    this.#pings += 1
    return this.#pings
  }

  silent(): void {
    this.#end(endingOf(0), 'the broker does not answer any more')
  }

  #take(chunk: Buffer): void {
    if (this.#owner === undefined) return
    if (this.#pulse !== undefined) this.#pulse.heard = true
    const foreign = this.#isFirst ? foreignProtocol(chunk) : undefined
    this.#isFirst = false
    if (foreign !== undefined) return this.#fail({ outcome: 1, detail: foreign, answered: true })
    try {
      const decoder = this.#parts.decoders[this.version]
      this.#framing.take(chunk, (octets, missing) => {
        this.#received(missing === 0 ? decoder.decode(octets) : decoder.decodeHead(octets, missing))
        return this.#owner !== undefined
      })
    } catch (error) {
      this.#over(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #received(packet: FromBroker): void {
    if (packet.cmd === 'connack') this.#connack(packet)
    else if (!this.open) this.#tooEarly(packet)
    else if (packet.cmd === 'disconnect') {
      const code = packet.reasonCode ?? 0
      const text = packet.properties?.reasonString
      this.#end(endingOf(code), `the broker disconnected: ${reasonText(code)}${text ? ` "${text}"` : ''}`)
    } else if (packet.cmd === 'pingresp') {
      this.#pongs += 1
      this.#owner?.ponged(this.#pongs)
    } else this.#owner?.received(packet)
  }

  #tooEarly(packet: FromBroker): void {
    if (packet.cmd !== 'publish' && packet.cmd !== 'unusable')
      throw new Error(`${packet.cmd} came before CONNACK`)
    this.#early ??= []
    if (this.#early.push(packet) > MAX_EARLY) throw new Error('too many messages came before CONNACK')
  }

  #connack(packet: IConnackPacket): void {
    if (this.open) throw new Error('the broker sent a second CONNACK')
    const code = this.version === 5 ? packet.reasonCode : packet.returnCode
    if (code === undefined) throw new Error('the broker sent CONNACK without a code')
    if (code !== 0) {
      const again = this.#will !== undefined && this.abilities.refusesWill(this.#will, code, this.isOwn)
      const { reasonString } = packet.properties ?? {}
      this.#fail({ ...refusal(this.version, code, reasonString, this.isOwn ? 'broker' : 'sensors[]'), again })
      return
    }
    const { limits, receiveMaximum, keepAlive, identifiers } = negotiated(packet, this.#keepAlive)
    this.ability = this.#parts.abilities.of(limits)
    this.window = windowOf(receiveMaximum, this.version, this.#parts.carriesMany)
    this.identifiers = this.version === 5 && identifiers
    this.open = true
    this.place = this.#way?.arrived('remoteAddress' in this.#stream && this.#stream.remoteAddress)
    this.#way = undefined
    this.#deadline = void clearTimeout(this.#deadline)
    this.#pulse = this.#parts.keepAlive.start(this, keepAlive)
    this.#owner?.accepted(packet.sessionPresent && !this.#clean)
    for (const early of this.#early ?? []) this.#owner?.received(early)
    this.#early = undefined
  }

  /** The broker broke the protocol, or the stream ended: the first of these decides what is reported. */
  #over(error: SystemError | undefined): void {
    if (this.#owner === undefined) return
    if (this.#way !== undefined) this.#fail(failureOf(error, this.#inHandshake()), error)
    else this.#end(isSilentEnd(error) ? UNEXPLAINED : endingOf(0), explainTls(error) ?? describeError(error))
  }

  #fail(failure: Failure, error?: SystemError): void {
    this.#cut()?.failed(this.#way?.judged(error, failure) ?? failure)
  }

  #end(how: Ending, detail: string): void {
    this.#cut()?.ended(how, detail)
  }

  #cut(): SocketOwner | undefined {
    const owner = this.#detach()
    this.#stream.destroy()
    return owner
  }

  #detach(): SocketOwner | undefined {
    const owner = this.#owner
    this.#owner = undefined
    if (this.open && this.place !== undefined) this.place.open -= 1
    this.open = false
    clearTimeout(this.#deadline)
    if (this.#pulse !== undefined) this.#parts.keepAlive.stop(this.#pulse)
    return owner
  }
}

const uncork = (stream: Duplex): void => stream.uncork()
