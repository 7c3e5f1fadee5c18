// A client whose every record can be held back, changed, repeated or sent out of order: what an honest client would have sent is
// made with the project's own parts, and the test decides what the server sees.

import { systemChance } from '../../src/dtls/crypto/chance.ts'
import {
  agreedPskPremaster,
  keyBlockOctets,
  masterSecret,
  pskPremaster,
  verifyData,
} from '../../src/dtls/crypto/keys.ts'
import type { Effect, Remote } from '../../src/dtls/effects.ts'
import {
  readAgreement,
  readHint,
  writeCertificate,
  writeClientKeyExchange,
  writeSignature,
} from '../../src/dtls/handshake/bodies.ts'
import type { Credentials } from '../../src/dtls/handshake/credentials.ts'
import { extension } from '../../src/dtls/handshake/extensions.ts'
import { readHelloVerifyRequest, readServerHello } from '../../src/dtls/handshake/hello.ts'
import { cutMessage, readFragments, writeMessage } from '../../src/dtls/handshake/messages.ts'
import { Transcript } from '../../src/dtls/handshake/transcript.ts'
import { concatOctets, NOTHING, u16, u16List, utf8Of, vector8, vector16 } from '../../src/dtls/octets.ts'
import { Channel } from '../../src/dtls/record/channel.ts'
import { type DtlsRecord, readRecord, writePlainRecord } from '../../src/dtls/record/record.ts'
import { type Suite, suiteOf } from '../../src/dtls/suites.ts'
import { effectsOf, IDENTITY, KEY, type World } from './world.ts'

export const EMS = extension(23, NOTHING)
export const groupsOf = (...groups: number[]) => extension(10, vector16(u16List(groups)))
export const SIGNATURES = extension(13, vector16(u16List([0x0403])))
export const cidOf = (...octets: number[]) => extension(54, vector8(Uint8Array.from(octets)))

export interface PuppetOptions {
  readonly version?: number
  readonly suites?: readonly number[]
  readonly compressions?: Uint8Array
  readonly extensions?: readonly Uint8Array[]
  readonly sessionId?: Uint8Array
  readonly identity?: Uint8Array
  readonly key?: Uint8Array
  readonly certificate?: Credentials | undefined
  readonly remote?: Remote
  /** message_seq of the first hello */
  readonly helloSeq?: number
  readonly random?: Uint8Array
}

let nextPort = 40_000

/** All records of a datagram. */
export function recordsOf(datagram: Uint8Array, cidLength = 0): DtlsRecord[] {
  const records: DtlsRecord[] = []
  let at = 0
  while (at < datagram.length) {
    const record = readRecord(datagram, at, cidLength)
    if (record === undefined) throw new Error('a datagram of the server is cut short')
    records.push(record)
    at += record.size
  }
  return records
}

/** What the server sent, as `alert 40`, `message 2`, `change`, `protected`, ... */
export function told(effects: readonly Effect[], cidLength = 0): string[] {
  return effectsOf(effects, 'send').flatMap(({ bytes }) =>
    recordsOf(bytes, cidLength).flatMap(({ type, epoch, payload }) => {
      if (epoch > 0) return ['protected']
      if (type === 20) return ['change']
      if (type === 21) return [`alert ${payload[1]}`]
      return (readFragments(payload) ?? []).map((fragment) => `message ${fragment.type}`)
    }),
  )
}

export class Puppet {
  readonly world: World
  readonly remote: Remote
  readonly channel = new Channel()
  readonly options: PuppetOptions
  readonly random: Uint8Array
  readonly transcript = new Transcript()
  cookie: Uint8Array = NOTHING
  suite: Suite | undefined
  serverRandom: Uint8Array = NOTHING
  serverExtensions: Uint8Array = NOTHING
  /** bodies of the server's messages, by their type */
  readonly messages = new Map<number, Uint8Array>()
  #agreed: Uint8Array | undefined
  #point: Uint8Array | undefined
  #seq: number

  constructor(world: World, options: PuppetOptions = {}) {
    this.world = world
    this.options = options
    this.remote = options.remote ?? { address: '10.0.7.7', port: nextPort++ }
    this.random = options.random ?? world.chance.random(32)
    this.#seq = options.helloSeq ?? 0
  }

  /** A hello's body, with the cookie that there is. */
  helloBody(cookie = this.cookie): Uint8Array {
    const { version = 0xfefd, suites = [0xc0a8], compressions, extensions = [EMS], sessionId } = this.options
    return concatOctets(
      u16(version),
      this.random,
      vector8(sessionId ?? NOTHING),
      vector8(cookie),
      vector16(u16List(suites)),
      vector8(compressions ?? Uint8Array.of(0)),
      vector16(...extensions),
    )
  }

  message(type: number, body: Uint8Array): Uint8Array {
    return writeMessage(type, this.#seq++, body)
  }

  plain(type: number, content: Uint8Array): Uint8Array {
    return writePlainRecord(type, this.channel.plainSequence++, content)
  }

  send(...records: Uint8Array[]): Effect[] {
    return this.world.inject(concatOctets(...records), this.remote)
  }

  /** The first hello, and the server's cookie. */
  askCookie(): Effect[] {
    const effects = this.send(this.plain(22, this.message(1, this.helloBody())))
    for (const { bytes } of effectsOf(effects, 'send')) {
      const [fragment] = readFragments(recordsOf(bytes)[0]?.payload ?? NOTHING) ?? []
      if (fragment?.type === 3) this.cookie = readHelloVerifyRequest(fragment.body) ?? NOTHING
    }
    return effects
  }

  /** Both hellos; reads the server's flight. */
  begin(): Effect[] {
    this.askCookie()
    const hello = this.message(1, this.helloBody())
    const effects = this.send(this.plain(22, hello))
    this.transcript.add(hello)
    this.readFlight(effects)
    return effects
  }

  readFlight(effects: readonly Effect[]): void {
    for (const { bytes } of effectsOf(effects, 'send')) {
      for (const { epoch, payload, type } of recordsOf(bytes)) {
        if (epoch !== 0 || type !== 22) continue
        for (const fragment of readFragments(payload) ?? []) {
          this.transcript.add(writeMessage(fragment.type, fragment.messageSeq, fragment.body))
          this.messages.set(fragment.type, fragment.body)
        }
      }
    }
    const hello = readServerHello(this.messages.get(2) ?? NOTHING)
    if (hello === undefined) return
    this.suite = suiteOf(hello.suite)
    this.serverRandom = hello.random
    this.serverExtensions = hello.extensions
    const exchange = this.messages.get(12)
    if (exchange === undefined) return
    const agreement = readAgreement(
      this.suite?.exchange === 'ecdhe-psk' ? (readHint(exchange) ?? NOTHING) : exchange,
    )
    if (agreement === undefined) throw new Error('the ServerKeyExchange does not parse')
    const ephemeral = systemChance.ephemeral(agreement.group)
    this.#point = ephemeral.publicPoint
    this.#agreed = ephemeral.agree(agreement.point)
  }

  /** The messages of the last flight, whole, in order; keys are there afterwards. */
  answer(point = this.#point): { name: string; message: Uint8Array }[] {
    const { identity = utf8Of(IDENTITY), key = KEY, certificate } = this.options
    const { suite } = this
    if (suite === undefined) throw new Error('the server has chosen no suite')
    const answers: { name: string; message: Uint8Array }[] = []
    const add = (name: string, type: number, body: Uint8Array) => {
      const message = this.message(type, body)
      this.transcript.add(message)
      answers.push({ name, message })
    }
    if (this.messages.has(13)) add('certificate', 11, writeCertificate(certificate?.chain ?? []))
    const usesKey = suite.exchange !== 'ecdhe-ecdsa'
    add('exchange', 16, writeClientKeyExchange({ identity: usesKey ? identity : undefined, point }))
    const premaster = !usesKey
      ? this.#agreed
      : this.#agreed
        ? agreedPskPremaster(this.#agreed, key)
        : pskPremaster(key)
    const randoms = { client: this.random, server: this.serverRandom }
    const hasEms = readExtensionNumbers(this.serverExtensions).includes(23)
    const hash = hasEms ? this.transcript.hash() : undefined
    const master = masterSecret(premaster ?? NOTHING, randoms, hash)
    if (this.messages.has(13) && certificate)
      add('verify', 15, writeSignature(certificate.sign(this.transcript.octets())))
    this.channel.setKeys(suite.cipher, keyBlockOctets(master, randoms), 'client')
    add('finished', 20, verifyData(master, 'client', this.transcript.hash()))
    return answers
  }

  /** The records of the last flight by their names, one message each. */
  records(): Record<string, Uint8Array> {
    const records: Record<string, Uint8Array> = {}
    for (const { name, message } of this.answer()) {
      if (name === 'finished') records['change'] = this.plain(20, Uint8Array.of(1))
      records[name] = name === 'finished' ? this.channel.write(1, 22, message) : this.plain(22, message)
    }
    return records
  }

  /** A whole honest handshake. */
  open(): this {
    this.begin()
    for (const record of Object.values(this.records())) this.send(record)
    return this
  }

  data(text: string): Uint8Array {
    return this.channel.write(1, 23, Buffer.from(text))
  }
}

export function readExtensionNumbers(block: Uint8Array): number[] {
  const numbers: number[] = []
  for (let at = 0; at + 4 <= block.length; ) {
    const view = new DataView(block.buffer, block.byteOffset + at)
    numbers.push(view.getUint16(0))
    at += 4 + view.getUint16(2)
  }
  return numbers
}

/** A message cut to fragments of so many octets. */
export function fragmentsOf(message: Uint8Array, octets: number): Uint8Array[] {
  const length = message.length - 12
  return Array.from({ length: Math.ceil(length / octets) }, (_, index) =>
    cutMessage(message, index * octets, Math.min(octets, length - index * octets)),
  )
}
