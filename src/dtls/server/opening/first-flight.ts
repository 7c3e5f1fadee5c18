// The server's first flight: of a full handshake (ServerHello to ServerHelloDone), or of a short one (up to Finished)
// [5246 7.3; 6347 4.2.4].

import { keyBlockOctets, verifyData } from '../../crypto/keys.ts'
import type { Remote, Turn } from '../../effects.ts'
import { type Failure, protocolFailure } from '../../failure.ts'
import {
  writeAgreement,
  writeCertificate,
  writeCertificateRequest,
  writeSignature,
} from '../../handshake/bodies.ts'
import {
  CONNECTION_ID,
  EXTENDED_MASTER_SECRET,
  extension,
  MAX_FRAGMENT_LENGTH,
  POINT_FORMATS,
  RENEGOTIATION_INFO,
  SESSION_TICKET,
} from '../../handshake/extensions.ts'
import { Repetition } from '../../handshake/flight.ts'
import { writeServerHello } from '../../handshake/hello.ts'
import {
  CERTIFICATE,
  CERTIFICATE_REQUEST,
  CLIENT_HELLO,
  FINISHED,
  SERVER_HELLO,
  SERVER_HELLO_DONE,
  SERVER_KEY_EXCHANGE,
  writeMessage,
} from '../../handshake/messages.ts'
import { Reassembly } from '../../handshake/reassembly.ts'
import { Transcript } from '../../handshake/transcript.ts'
import { concatOctets, NOTHING, u8, vector8, vector16 } from '../../octets.ts'
import { Channel } from '../../record/channel.ts'
import { LONGEST_PLAINTEXT } from '../../record/record.ts'
import { type Place, writeSlot } from '../../slots.ts'
import type { Suite } from '../../suites.ts'
import type { Association, Handshake, Who } from '../association.ts'
import type { ServerContext } from '../context.ts'
import type { Choice, Offer } from './negotiate.ts'
import type { Resumption } from './resume.ts'

export interface Beginning {
  readonly offer: Offer
  readonly from: Remote
  readonly helloSeq: number
  readonly recordSequence: number
  /** of a server that shares sessions with others */
  readonly place: Place | undefined
}

const NOBODY: Who = {
  kind: 'anonymous',
  identity: undefined,
  credential: '',
  notAfter: Number.POSITIVE_INFINITY,
}
const CID_TRIES = 8

/** Appends a message to our flight, and to what both sides hash. */
export function addMessage(handshake: Handshake, type: number, body: Uint8Array, epoch: 0 | 1 = 0): void {
  const message = writeMessage(type, handshake.sendSeq++, body)
  handshake.transcript.add(message)
  handshake.flight.push({ epoch, message })
}

export function startFull(
  context: ServerContext,
  beginning: Beginning,
  { suite, group }: Choice,
  turn: Turn,
): Association | Failure {
  const { chance, settings } = context
  const { offer } = beginning
  const serverRandom = chance.random(32)
  const wantsTicket = offer.ticket !== undefined && offer.extendedMasterSecret
  // with a ticket the client keeps the session, without one we do
  const sessionId = settings.resumption > 0 && !wantsTicket ? chance.random(32) : NOTHING
  const association = createAssociation(
    context,
    beginning,
    { suite, serverRandom, sessionId, wantsTicket },
    turn,
  )
  if ('alert' in association) return association
  const { handshake } = association
  if (group !== undefined) {
    const ephemeral = chance.ephemeral(group)
    handshake.ephemeral = ephemeral
    const parameters = writeAgreement(group, ephemeral.publicPoint)
    if (suite.exchange === 'ecdhe-psk') {
      addMessage(handshake, SERVER_KEY_EXCHANGE, concatOctets(vector16(), parameters))
    } else if (settings.certificate !== undefined) {
      const { chain, sign } = settings.certificate
      const { client, server } = handshake.randoms
      addMessage(handshake, CERTIFICATE, writeCertificate(chain))
      const signature = sign(concatOctets(client, server, parameters))
      addMessage(handshake, SERVER_KEY_EXCHANGE, concatOctets(parameters, writeSignature(signature)))
      if (settings.clientTrust !== undefined) {
        addMessage(handshake, CERTIFICATE_REQUEST, writeCertificateRequest())
        association.state = 'certificate'
      }
    }
  }
  addMessage(handshake, SERVER_HELLO_DONE, NOTHING)
  return association
}

export function startResumed(
  context: ServerContext,
  beginning: Beginning,
  { suite, state, who }: Resumption,
  turn: Turn,
): Association | Failure {
  const serverRandom = context.chance.random(32)
  const { sessionId } = beginning.offer.hello
  const what = { suite, serverRandom, sessionId, wantsTicket: false }
  const association = createAssociation(context, beginning, what, turn)
  if ('alert' in association) return association
  const { handshake, channel } = association
  const master = Uint8Array.from(state.master)
  handshake.master = master
  handshake.who = who
  association.state = 'resumed'
  channel.setKeys(suite.cipher, keyBlockOctets(master, handshake.randoms), 'server')
  handshake.flight.push('change-cipher-spec')
  addMessage(handshake, FINISHED, verifyData(master, 'server', handshake.transcript.hash()), 1)
  return association
}

interface Beginnings {
  readonly suite: Suite
  readonly serverRandom: Uint8Array
  readonly sessionId: Uint8Array
  readonly wantsTicket: boolean
}

type Begun = Association & { readonly handshake: Handshake }

/** With ServerHello as the first message of its flight. */
function createAssociation(
  context: ServerContext,
  { offer, from, helloSeq, recordSequence, place }: Beginning,
  { suite, serverRandom, sessionId, wantsTicket }: Beginnings,
  turn: Turn,
): Begun | Failure {
  const { settings } = context
  const channel = new Channel(recordSequence)
  if (offer.connectionId !== undefined) {
    const cid = freeConnectionId(context, place?.slot)
    if (cid === undefined) return protocolFailure('internal_error', 'no free connection id was found')
    channel.ownCid = cid
    channel.peerCid = Uint8Array.from(offer.connectionId)
  }
  const plaintext = offer.fragment?.octets ?? LONGEST_PLAINTEXT
  // views into the datagram are copied: the association outlives it
  const clientRandom = Uint8Array.from(offer.hello.random)
  const handshake: Handshake = {
    suite,
    randoms: { client: clientRandom, server: serverRandom },
    helloSeq,
    extendedMasterSecret: offer.extendedMasterSecret,
    sessionId: Uint8Array.from(sessionId),
    wantsTicket,
    transcript: new Transcript(),
    reassembly: new Reassembly(helloSeq + 1),
    limits: { mtu: settings.mtu, plaintext },
    sendSeq: helloSeq,
    flight: [],
    repetition: new Repetition(turn.now, settings.retransmit),
    deadline: turn.now + settings.handshake,
    startedAt: turn.now,
    ephemeral: undefined,
    master: undefined,
    changed: false,
    early: [],
    earlyData: [],
    who: NOBODY,
    isUnknown: false,
    client: undefined,
    point: undefined,
    undecrypted: 0,
  }
  handshake.transcript.add(writeMessage(CLIENT_HELLO, helloSeq, offer.hello.body))
  const extensions = serverExtensions(offer, suite, channel.ownCid, wantsTicket)
  addMessage(
    handshake,
    SERVER_HELLO,
    writeServerHello(serverRandom, handshake.sessionId, suite.code, extensions),
  )
  return {
    id: place?.number ?? context.nextId++,
    remote: from,
    state: 'key-exchange',
    channel,
    longest: plaintext,
    handshake,
    info: undefined,
    who: undefined,
    lastFlight: undefined,
    sessionId: handshake.sessionId,
    reserved: 0,
    inUse: false,
    lastUsed: turn.now,
    unproven: undefined,
    refusedRenegotiation: false,
  }
}

function freeConnectionId(
  { chance, table, settings }: ServerContext,
  slot: number | undefined,
): Uint8Array | undefined {
  for (let tries = 0; tries < CID_TRIES; tries++) {
    const cid = chance.random(settings.connectionIdLength)
    if (slot !== undefined) writeSlot(cid, slot)
    if (table.byCid(cid) === undefined) return cid
  }
  return undefined
}

/** In this order; each only where the client has offered it. */
function serverExtensions(offer: Offer, suite: Suite, ownCid: Uint8Array, wantsTicket: boolean): Uint8Array {
  const extensions: Uint8Array[] = []
  if (offer.knowsRenegotiation) extensions.push(extension(RENEGOTIATION_INFO, u8(0)))
  if (offer.extendedMasterSecret) extensions.push(extension(EXTENDED_MASTER_SECRET, NOTHING))
  if (offer.fragment) extensions.push(extension(MAX_FRAGMENT_LENGTH, offer.fragment.content))
  if (offer.hasPointFormats && suite.exchange !== 'psk')
    extensions.push(extension(POINT_FORMATS, vector8(u8(0))))
  if (offer.connectionId !== undefined) extensions.push(extension(CONNECTION_ID, vector8(ownCid)))
  if (wantsTicket) extensions.push(extension(SESSION_TICKET, NOTHING))
  return concatOctets(...extensions)
}
