// The server's messages after its hello, each only in the state that waits for it, and our answer to them [5246 7.4].

import type { Chance } from '../crypto/chance.ts'
import { agreedPskPremaster, keyBlockOctets, masterSecret, pskPremaster, verifyData } from '../crypto/keys.ts'
import { ECDSA_SHA256, verifySignature } from '../crypto/primitives.ts'
import type { Turn } from '../effects.ts'
import { type Failure, failure, protocolFailure } from '../failure.ts'
import {
  readAgreement,
  readCertificate,
  readCertificateRequest,
  readHint,
  readSignature,
  writeCertificate,
  writeClientKeyExchange,
  writeSignature,
} from '../handshake/bodies.ts'
import {
  CERTIFICATE,
  CERTIFICATE_REQUEST,
  CERTIFICATE_VERIFY,
  CLIENT_KEY_EXCHANGE,
  FINISHED,
  type Message,
  SERVER_HELLO_DONE,
  SERVER_KEY_EXCHANGE,
} from '../handshake/messages.ts'
import { concatOctets, holdsU16, utf8Of } from '../octets.ts'
import type { Channel } from '../record/channel.ts'
import type { ClientSettings } from './options.ts'
import { addOwnMessage, type ClientHandshake, type ClientState } from './state.ts'

export const unexpected = (): Failure =>
  protocolFailure('unexpected_message', 'a handshake message came that is not due')
const unreadable = (): Failure => protocolFailure('decode_error', 'a handshake message does not parse')

/** What is waited for after the ServerHello of a full handshake. */
export const stateAfterHello = ({ suite }: ClientHandshake): ClientState =>
  suite?.exchange === 'ecdhe-ecdsa' ? 'certificate' : 'key-exchange'

/** The next state, or why there is none. */
export function receiveServerMessage(
  state: ClientState,
  handshake: ClientHandshake,
  settings: ClientSettings,
  message: Message,
  turn: Turn,
): ClientState | Failure {
  const { type } = message
  const exchange = handshake.suite?.exchange
  handshake.transcript.add(message.bytes)
  if (state === 'certificate' && type === CERTIFICATE)
    return receiveCertificate(handshake, settings, message, turn)
  if (state === 'key-exchange' && type === SERVER_KEY_EXCHANGE) return receiveKeyExchange(handshake, message)
  if (state === 'request' && type === CERTIFICATE_REQUEST) return receiveRequest(handshake, message)
  const isDone = state === 'done' || state === 'request' || (state === 'key-exchange' && exchange === 'psk')
  if (isDone && type === SERVER_HELLO_DONE) return message.body.length === 0 ? 'finished' : unreadable()
  return unexpected()
}

function receiveCertificate(
  handshake: ClientHandshake,
  { serverTrust }: ClientSettings,
  { body }: Message,
  turn: Turn,
): ClientState | Failure {
  const chain = readCertificate(body)
  if (chain === undefined) return unreadable()
  const checked = serverTrust?.check(chain, turn.wall) ?? { alert: 'unknown_ca', why: 'nobody is trusted' }
  if ('alert' in checked) return failure(checked.alert, 'certificate', checked.why)
  handshake.server = checked
  return 'key-exchange'
}

function receiveKeyExchange(handshake: ClientHandshake, { body }: Message): ClientState | Failure {
  const { suite, randoms, server } = handshake
  const parameters = suite?.exchange === 'ecdhe-ecdsa' ? body : readHint(body)
  if (parameters === undefined || randoms === undefined) return unreadable()
  if (suite?.exchange === 'psk') return parameters.length === 0 ? 'done' : unreadable()
  const agreement = readAgreement(parameters)
  if (agreement === undefined) return protocolFailure('illegal_parameter', 'its group is not known')
  handshake.agreement = { ...agreement, point: Uint8Array.from(agreement.point) }
  if (suite?.exchange === 'ecdhe-psk') return agreement.rest.length === 0 ? 'done' : unreadable()
  const proof = readSignature(agreement.rest)
  if (proof === undefined) return unreadable()
  const signed = concatOctets(randoms.client, randoms.server, agreement.parameters)
  if (server === undefined || !verifySignature(proof.algorithm, server.publicKey, signed, proof.signature))
    return failure(
      'decrypt_error',
      'certificate',
      'the signature is not made with the key of its certificate',
    )
  return 'request'
}

function receiveRequest(handshake: ClientHandshake, { body }: Message): ClientState | Failure {
  const algorithms = readCertificateRequest(body)
  if (algorithms === undefined) return unreadable()
  if (!holdsU16(algorithms, ECDSA_SHA256))
    return failure('handshake_failure', 'certificate', 'the server takes no signature that can be made here')
  handshake.certificateWanted = true
  return 'done'
}

/** Certificate, ClientKeyExchange, CertificateVerify, ChangeCipherSpec, Finished. */
export function writeAnswer(
  handshake: ClientHandshake,
  settings: ClientSettings,
  channel: Channel,
  chance: Chance,
): Failure | undefined {
  const { suite, randoms, agreement, transcript, certificateWanted, extendedMasterSecret } = handshake
  if (suite === undefined || randoms === undefined) return unexpected()
  const { certificate, psk, groups } = settings
  handshake.flight = []
  if (certificateWanted) addOwnMessage(handshake, CERTIFICATE, writeCertificate(certificate?.chain ?? []))
  let agreed: Uint8Array | undefined
  let point: Uint8Array | undefined
  if (suite.exchange !== 'psk') {
    if (agreement === undefined || !groups.includes(agreement.group))
      return protocolFailure('illegal_parameter', 'its group was not offered')
    const ephemeral = chance.ephemeral(agreement.group)
    point = ephemeral.publicPoint
    agreed = ephemeral.agree(agreement.point)
    if (agreed === undefined)
      return protocolFailure('illegal_parameter', 'its public point is none of the group')
  }
  const key = suite.exchange === 'ecdhe-ecdsa' ? undefined : psk?.key
  const identity = key && psk ? utf8Of(psk.identity) : undefined
  addOwnMessage(handshake, CLIENT_KEY_EXCHANGE, writeClientKeyExchange({ identity, point }))
  const premaster =
    key === undefined ? agreed : agreed === undefined ? pskPremaster(key) : agreedPskPremaster(agreed, key)
  if (premaster === undefined) return protocolFailure('internal_error', 'there is no premaster secret')
  const master = masterSecret(premaster, randoms, extendedMasterSecret ? transcript.hash() : undefined)
  premaster.fill(0)
  if (certificateWanted && certificate !== undefined) {
    const signature = certificate.sign(transcript.octets())
    addOwnMessage(handshake, CERTIFICATE_VERIFY, writeSignature(signature))
  }
  useMaster(handshake, channel, master)
  writeFinished(handshake, master)
  return undefined
}

/** Keys for both directions; from here on records of epoch 1 can be written. */
export function useMaster(handshake: ClientHandshake, channel: Channel, master: Uint8Array): void {
  const { suite, randoms } = handshake
  if (suite === undefined || randoms === undefined) throw new Error('there is no suite yet')
  channel.setKeys(suite.cipher, keyBlockOctets(master, randoms), 'client')
  handshake.master = master
}

export function writeFinished(handshake: ClientHandshake, master: Uint8Array): void {
  const hash = handshake.transcript.hash()
  handshake.flight.push('change-cipher-spec')
  addOwnMessage(handshake, FINISHED, verifyData(master, 'client', hash), 1)
}
