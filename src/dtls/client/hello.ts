// The client's hello, and what the server makes of it [5246 7.4.1; 6347 4.2.1].

import type { Chance } from '../crypto/chance.ts'
import { ECDSA_SHA256, ECDSA_SHA384 } from '../crypto/primitives.ts'
import type { Turn } from '../effects.ts'
import { type Failure, failure, protocolFailure } from '../failure.ts'
import {
  CONNECTION_ID,
  EXTENDED_MASTER_SECRET,
  extension,
  fragmentLengthOf,
  MAX_FRAGMENT_LENGTH,
  POINT_FORMATS,
  RENEGOTIATION_INFO,
  readExtensions,
  SESSION_TICKET,
  SIGNATURE_ALGORITHMS,
  SUPPORTED_GROUPS,
} from '../handshake/extensions.ts'
import { Repetition } from '../handshake/flight.ts'
import { readHelloVerifyRequest, readServerHello, writeClientHello } from '../handshake/hello.ts'
import { CLIENT_HELLO, type Message } from '../handshake/messages.ts'
import { Reassembly } from '../handshake/reassembly.ts'
import { Transcript } from '../handshake/transcript.ts'
import { concatOctets, NOTHING, OctetReader, sameOctets, u8, u16List, vector8, vector16 } from '../octets.ts'
import type { Channel } from '../record/channel.ts'
import { DTLS12, LONGEST_PLAINTEXT } from '../record/record.ts'
import type { ClientSettings } from './options.ts'
import { addOwnMessage, type ClientHandshake } from './state.ts'

/** A handshake with its first flight, a hello without a cookie. */
export function beginHandshake(settings: ClientSettings, chance: Chance, turn: Turn): ClientHandshake {
  const clientRandom = chance.random(32)
  const { resume, connectionIdLength } = settings
  // an id of our own tells by its echo that the server took the ticket [5077 3.4]
  const sessionId = resume === undefined ? NOTHING : resume.ticket ? chance.random(32) : resume.sessionId
  const ownCid = typeof connectionIdLength === 'number' ? chance.random(connectionIdLength) : NOTHING
  const extensions = clientExtensions(settings, ownCid)
  const handshake: ClientHandshake = {
    clientRandom,
    sessionId,
    offered: new Set(readExtensions(extensions)?.keys()),
    extensions,
    ownCid,
    reassembly: new Reassembly(0),
    deadline: turn.now + settings.handshake,
    transcript: new Transcript(),
    repetition: new Repetition(turn.now, settings.retransmit),
    limits: { mtu: settings.mtu, plaintext: LONGEST_PLAINTEXT },
    sendSeq: 0,
    flight: [],
    suite: undefined,
    randoms: undefined,
    serverSessionId: NOTHING,
    extendedMasterSecret: false,
    resumed: false,
    ticketComes: false,
    ticket: undefined,
    server: undefined,
    agreement: undefined,
    certificateWanted: false,
    master: undefined,
    changed: false,
    early: [],
    earlyData: [],
    undecrypted: 0,
  }
  writeHello(handshake, settings, NOTHING)
  return handshake
}

function writeHello(handshake: ClientHandshake, settings: ClientSettings, cookie: Uint8Array): void {
  const { clientRandom, sessionId, extensions } = handshake
  const suites = settings.suites.map(({ code }) => code)
  handshake.transcript = new Transcript()
  handshake.flight = []
  const hello = { random: clientRandom, sessionId, cookie, suites, extensions }
  addOwnMessage(handshake, CLIENT_HELLO, writeClientHello(hello))
}

function clientExtensions(settings: ClientSettings, ownCid: Uint8Array): Uint8Array {
  const { suites, groups, extendedMasterSecret, connectionIdLength, maxFragmentLength, resume } = settings
  const extensions = [extension(RENEGOTIATION_INFO, u8(0))]
  if (extendedMasterSecret !== 'off') extensions.push(extension(EXTENDED_MASTER_SECRET, NOTHING))
  if (maxFragmentLength !== undefined)
    extensions.push(extension(MAX_FRAGMENT_LENGTH, u8(Math.log2(maxFragmentLength) - 8)))
  if (suites.some(({ exchange }) => exchange !== 'psk')) {
    extensions.push(extension(SUPPORTED_GROUPS, vector16(u16List(groups))))
    extensions.push(extension(POINT_FORMATS, vector8(u8(0))))
  }
  if (suites.some(({ exchange }) => exchange === 'ecdhe-ecdsa'))
    extensions.push(extension(SIGNATURE_ALGORITHMS, vector16(u16List([ECDSA_SHA256, ECDSA_SHA384]))))
  if (connectionIdLength !== 'off') extensions.push(extension(CONNECTION_ID, vector8(ownCid)))
  if (settings.tickets) extensions.push(extension(SESSION_TICKET, resume?.ticket ?? NOTHING))
  return concatOctets(...extensions)
}

/** The hello again, with the cookie. */
export function receiveVerifyRequest(
  handshake: ClientHandshake,
  settings: ClientSettings,
  { body }: Message,
  turn: Turn,
): Failure | undefined {
  const cookie = readHelloVerifyRequest(body)
  if (cookie === undefined) return protocolFailure('decode_error', 'a HelloVerifyRequest does not parse')
  writeHello(handshake, settings, Uint8Array.from(cookie))
  handshake.repetition.restart(turn.now)
  return undefined
}

/** Takes over what the server has chosen of what was offered. */
export function receiveServerHello(
  handshake: ClientHandshake,
  settings: ClientSettings,
  channel: Channel,
  { body, bytes }: Message,
): Failure | undefined {
  const hello = readServerHello(body)
  const extensions = hello && readExtensions(hello.extensions)
  if (hello === undefined || extensions === undefined)
    return protocolFailure('decode_error', 'the ServerHello does not parse')
  if (hello.version !== DTLS12)
    return protocolFailure('protocol_version', 'the server does not speak DTLS 1.2')
  const suite = settings.suites.find(({ code }) => code === hello.suite)
  if (suite === undefined || hello.compression !== 0)
    return protocolFailure('illegal_parameter', 'the server chose what was not offered')
  for (const number of extensions.keys()) {
    if (!handshake.offered.has(number))
      return protocolFailure(
        'unsupported_extension',
        `the server answers extension ${number}, which was not sent`,
      )
  }
  const extendedMasterSecret = extensions.has(EXTENDED_MASTER_SECRET)
  const { resume } = settings
  const resumed =
    resume !== undefined && hello.sessionId.length > 0 && sameOctets(hello.sessionId, handshake.sessionId)
  if (!extendedMasterSecret && (resumed || settings.extendedMasterSecret === 'required'))
    return failure('handshake_failure', 'protocol', 'the server uses no extended master secret')
  if (resumed && resume.suite !== suite.code)
    return protocolFailure('illegal_parameter', 'the server resumes with another suite')
  const cid = extensions.get(CONNECTION_ID)
  if (cid !== undefined) {
    const reader = new OctetReader(cid)
    channel.peerCid = Uint8Array.from(reader.vector8())
    channel.ownCid = handshake.ownCid
    if (!reader.complete) return protocolFailure('decode_error', 'its connection id has a wrong length')
  }
  const fragment = extensions.get(MAX_FRAGMENT_LENGTH)
  if (fragment !== undefined) {
    const plaintext = fragmentLengthOf(fragment)
    if (plaintext !== settings.maxFragmentLength)
      return protocolFailure('illegal_parameter', 'its max_fragment_length is another one')
    handshake.limits = { mtu: settings.mtu, plaintext: plaintext ?? LONGEST_PLAINTEXT }
  }
  handshake.suite = suite
  handshake.randoms = { client: handshake.clientRandom, server: Uint8Array.from(hello.random) }
  handshake.serverSessionId = Uint8Array.from(hello.sessionId)
  handshake.extendedMasterSecret = extendedMasterSecret
  handshake.resumed = resumed
  handshake.ticketComes = extensions.has(SESSION_TICKET)
  handshake.transcript.add(bytes)
  return undefined
}
