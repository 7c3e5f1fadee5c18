// One network connection to the broker, from CONNECT to its end: octets to packets and back, nothing of what they mean.

import type { Duplex } from 'node:stream'
import { generate, type IConnackPacket } from 'mqtt-packet'
import type { BrokerLimits } from '../../session/broker/limits.ts'
import type { Will } from '../../session/message.ts'
import { connackOutcome, type Ending, endingOf, hex, refusesVersion, UNEXPLAINED } from '../reason-codes.ts'
import type { ConnectOptions } from '../upstream.ts'
import type { Endpoint } from './brokers/endpoints.ts'
import type { SocketOwner, SocketParts } from './connection-parts.ts'
import { describeError, type Failure, failureKind, isSilentEnd, type SystemError } from './failure.ts'
import type { Kept, Pulse } from './keepalive.ts'
import { connectPacket, negotiated, UNLIMITED, type Version } from './negotiation.ts'
import type { FromBroker, Published, Unusable } from './packets/decoder.ts'
import { Framing } from './packets/framing.ts'
import { acknowledgement, farewell, PINGREQ, PUBREL, publishPacket } from './packets/octets.ts'

/** messages of a resumed session that may come before CONNACK */
const MAX_EARLY = 64

/** An attempt, then a connection. Detached (by `end`, or by ending itself) it reports nothing any more. */
export class BrokerSocket implements Kept {
  readonly version: Version
  /** which broker it goes to */
  readonly endpoint: Endpoint
  /** CONNACK came and was good */
  open = false
  congested = false
  limits: BrokerLimits = UNLIMITED
  /** QoS 1 and 2 publishes that the broker takes at once */
  window = 0
  readonly #parts: SocketParts
  readonly #clientId: string
  readonly #stream: Duplex
  readonly #clean: boolean
  /** seconds */
  readonly #keepAlive: number
  readonly #will: Will | undefined
  /** the broker waits while the gateway is away: it keeps the session for a while, and delays the will */
  readonly #patient: boolean
  readonly #framing = new Framing()
  #owner: SocketOwner | undefined
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
    const connect = connectPacket(parts.options, options, version)
    const octets = generate(connect)
    this.version = version
    this.endpoint = endpoint
    this.#parts = parts
    this.#clientId = options.identity.clientId
    this.#clean = connect.clean
    this.#keepAlive = connect.keepalive
    this.#will = options.will
    this.#patient = version === 5 && parts.options.absenceSeconds > 0
    this.#owner = owner
    this.#stream = endpoint.open(options.identity, (chunk) => this.#take(chunk))
    this.#stream.on('error', (error) => {
      this.#error ??= error
    })
    const over = (): void => this.#over(this.#error)
    this.#stream.on('close', over).on('end', over)
    this.#stream.write(octets)
    this.#deadline = setTimeout(() => {
      // The system has got no answer either, not even a refusal.
      const unreachable = 'connecting' in this.#stream && this.#stream.connecting === true
      const version = unreachable ? undefined : 'silent'
      this.#fail({ outcome: 1, detail: 'no CONNACK in time', unreachable, version })
    }, parts.options.connectTimeout)
  }

  /** Sends what was written within a tick as one; nothing once it has ended. */
  write(octets: Uint8Array): void {
    if (this.#owner === undefined) return
    const stream = this.#stream
    if (stream.writableCorked === 0) {
      this.#backlog = stream.writableLength
      stream.cork()
      process.nextTick(uncork, stream)
    }
    stream.write(octets)
    if (this.congested || !this.#isTooMuch()) return
    this.congested = true
    this.#owner?.congested(true)
    stream.once('drain', () => {
      this.congested = false
      this.#owner?.congested(false)
    })
  }

  /**
   * Whether more waits than may: here, or so much that it would be too much if it waited on all connections. What only waits
   * for the end of this tick says nothing about the broker, and does not count for the latter.
   */
  #isTooMuch(): boolean {
    const { options, counts } = this.#parts
    const { writeBuffer, totalWriteBuffer = Number.POSITIVE_INFINITY } = options
    // `drain` is only told by streams that were above their own mark.
    const least = this.#stream.writableHighWaterMark
    const equalPart = totalWriteBuffer / Math.max(1, counts.connected)
    return (
      this.#stream.writableLength > Math.max(writeBuffer, least) || this.#backlog > Math.max(equalPart, least)
    )
  }

  /**
   * Ends it: reports nothing more, and sends DISCONNECT or lets the broker publish the will. Where the broker would wait
   * with that, and Mosquitto 2.0 for the whole delay even if the session is over, it is published here, in QoS 2 as well
   * without waiting for an answer. `packetId`: one that is not in use.
   */
  end(publishWill: boolean, final: boolean, packetId: number): void {
    const here = publishWill && this.open && this.#patient
    if (here && this.#will !== undefined) {
      const { message: payload, ...will } = this.#will
      this.write(publishPacket(this.version, { payload, ...will }, packetId, false))
      if (will.qos === 2) this.write(acknowledgement(PUBREL, packetId))
    }
    this.#detach()
    const last = farewell(this.version, publishWill && !here, final && this.#patient)
    this.#parts.endings.end(this.#clientId, this.#stream, last)
  }

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
    try {
      this.#framing.take(chunk, (octets) => {
        this.#received(this.#parts.decoders[this.version].decode(octets))
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
      this.#end(endingOf(code), `the broker disconnected: ${hex(code)}${text ? ` ${text}` : ''}`)
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
      const outcome = connackOutcome(this.version, code)
      const version = refusesVersion(code) ? 'said' : undefined
      const text = packet.properties?.reasonString
      const detail = `the broker refused: ${hex(code)}${text ? ` ${text}` : ''}`
      this.#fail({ outcome: outcome === 1 ? 1 : 3, detail, version })
      return
    }
    const { limits, receiveMaximum, keepAlive } = negotiated(packet, this.#keepAlive)
    this.limits = limits
    this.window = receiveMaximum
    this.open = true
    clearTimeout(this.#deadline)
    this.#deadline = undefined
    this.#pulse = this.#parts.keepAlive.start(this, keepAlive)
    this.#owner?.accepted(packet.sessionPresent && !this.#clean)
    for (const early of this.#early ?? []) this.#owner?.received(early)
    this.#early = undefined
  }

  /** The broker broke the protocol, or the stream ended: the first of these decides what is reported. */
  #over(error: SystemError | undefined): void {
    if (this.#owner === undefined) return
    const detail = describeError(error)
    if (this.open) this.#end(isSilentEnd(error) ? UNEXPLAINED : endingOf(0), detail)
    else this.#fail({ outcome: 1, detail, ...failureKind(error) })
  }

  #fail(failure: Failure): void {
    this.#cut()?.failed(failure)
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
    this.open = false
    clearTimeout(this.#deadline)
    if (this.#pulse !== undefined) this.#parts.keepAlive.stop(this.#pulse)
    return owner
  }
}

function uncork(stream: Duplex): void {
  stream.uncork()
}
