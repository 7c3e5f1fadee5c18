// The client's messages between ServerHelloDone and Finished: each only in the state that waits for it [5246 7.3, 7.4.6-8].

import { agreedPskPremaster, keyBlockOctets, masterSecret, pskPremaster } from '../../crypto/keys.ts'
import { verifySignature } from '../../crypto/primitives.ts'
import type { Turn } from '../../effects.ts'
import { type Failure, failure, protocolFailure } from '../../failure.ts'
import { readCertificate, readClientKeyExchange, readSignature } from '../../handshake/bodies.ts'
import {
  CERTIFICATE,
  CERTIFICATE_VERIFY,
  CLIENT_KEY_EXCHANGE,
  FINISHED,
  type Message,
} from '../../handshake/messages.ts'
import { textOf } from '../../octets.ts'
import type { Association, Handshake } from '../association.ts'
import type { ServerContext } from '../context.ts'
import { receiveFinished } from './finish.ts'
import { traceOfKey } from './resume.ts'

const unexpected = (): Failure =>
  protocolFailure('unexpected_message', 'a handshake message came that is not due')
const unreadable = (): Failure => protocolFailure('decode_error', 'a handshake message does not parse')

/** Handles one whole message in order; a failure ends the handshake. */
export function receiveMessage(
  context: ServerContext,
  association: Association,
  handshake: Handshake,
  message: Message,
  turn: Turn,
): Failure | undefined {
  const { type } = message
  switch (association.state) {
    case 'certificate':
      return type === CERTIFICATE
        ? receiveCertificate(context, association, handshake, message, turn)
        : unexpected()
    case 'key-exchange':
      return type === CLIENT_KEY_EXCHANGE
        ? receiveKeyExchange(context, association, handshake, message, turn)
        : unexpected()
    case 'cert-verify':
      return type === CERTIFICATE_VERIFY ? receiveVerify(association, handshake, message) : unexpected()
    case 'finished':
    case 'resumed':
      return type === FINISHED
        ? receiveFinished(context, association, handshake, message, turn)
        : unexpected()
    default:
      return unexpected()
  }
}

function receiveCertificate(
  { settings }: ServerContext,
  association: Association,
  handshake: Handshake,
  { body, bytes }: Message,
  turn: Turn,
): Failure | undefined {
  const chain = readCertificate(body)
  if (chain === undefined) return unreadable()
  const { clientTrust, clientCertificate } = settings
  if (chain.length === 0) {
    if (clientCertificate === 'required')
      return failure('handshake_failure', 'certificate', 'the client has no certificate')
  } else {
    const checked = clientTrust?.check(chain, turn.wall) ?? { alert: 'unknown_ca', why: 'nobody is trusted' }
    if ('alert' in checked) return failure(checked.alert, 'certificate', checked.why)
    handshake.client = checked
  }
  handshake.transcript.add(bytes)
  association.state = 'key-exchange'
  return undefined
}

function receiveKeyExchange(
  context: ServerContext,
  association: Association,
  handshake: Handshake,
  { body, bytes }: Message,
  turn: Turn,
): Failure | undefined {
  const { suite, transcript } = handshake
  const exchange = readClientKeyExchange(body, suite.exchange)
  if (exchange === undefined) return unreadable()
  transcript.add(bytes)
  handshake.point = exchange.point
  if (exchange.identity === undefined) return establishKeys(association, handshake, undefined)
  const identity = nameOf(exchange.identity)
  const key = identity === undefined ? undefined : context.settings.findKey?.(identity)
  handshake.who = { kind: 'psk', identity, credential: '', notAfter: Number.POSITIVE_INFINITY }
  if (key === 'later' && identity !== undefined) {
    association.state = 'looking-up'
    turn.out.push({ type: 'look-up', ask: association.id, identity })
    return undefined
  }
  return useKey(context, association, handshake, key === 'later' ? undefined : key)
}

/** 1 to 128 octets of UTF-8 without control characters [4279 5.3]. */
function nameOf(octets: Uint8Array): string | undefined {
  if (octets.length < 1 || octets.length > 128) return undefined
  const name = textOf(octets)
  return name === undefined || /\p{Cc}/u.test(name) ? undefined : name
}

const isUsable = (key: Uint8Array | undefined): key is Uint8Array =>
  key !== undefined && key.length >= 8 && key.length <= 64

/**
 * Goes on with the key of the client's identity. Nobody's identity gets a random key, so that from outside it looks like a
 * wrong one [4279 2].
 */
export function useKey(
  { chance }: ServerContext,
  association: Association,
  handshake: Handshake,
  found: Uint8Array | undefined,
): Failure | undefined {
  handshake.isUnknown = !isUsable(found)
  const key = isUsable(found) ? found : chance.random(32)
  handshake.who = { ...handshake.who, credential: traceOfKey(key) }
  return establishKeys(association, handshake, key)
}

function establishKeys(
  association: Association,
  handshake: Handshake,
  key: Uint8Array | undefined,
): Failure | undefined {
  const { suite, randoms, transcript, extendedMasterSecret, ephemeral, point, client } = handshake
  const agreed = point && ephemeral?.agree(point)
  // fresh for every handshake, and forgotten at once
  handshake.ephemeral = undefined
  handshake.point = undefined
  if (suite.exchange !== 'psk' && agreed === undefined)
    return protocolFailure('illegal_parameter', 'its public point is none of the group')
  const premaster =
    key === undefined ? agreed : agreed === undefined ? pskPremaster(key) : agreedPskPremaster(agreed, key)
  if (premaster === undefined) return protocolFailure('internal_error', 'there is no premaster secret')
  const sessionHash = extendedMasterSecret ? transcript.hash() : undefined
  const master = masterSecret(premaster, randoms, sessionHash)
  premaster.fill(0)
  handshake.master = master
  association.channel.setKeys(suite.cipher, keyBlockOctets(master, randoms), 'server')
  association.state = client === undefined ? 'finished' : 'cert-verify'
  return undefined
}

/** Only this makes the certificate the client's own: without it the handshake goes no further. */
function receiveVerify(
  association: Association,
  handshake: Handshake,
  { body, bytes }: Message,
): Failure | undefined {
  const { transcript, client } = handshake
  const proof = readSignature(body)
  if (proof === undefined) return unreadable()
  const { algorithm, signature } = proof
  if (client === undefined || !verifySignature(algorithm, client.publicKey, transcript.octets(), signature))
    return failure(
      'decrypt_error',
      'certificate',
      'the signature is not made with the key of its certificate',
    )
  const { identity, serial, notAfter } = client
  handshake.who = { kind: 'certificate', identity, credential: serial, notAfter }
  transcript.add(bytes)
  association.state = 'finished'
  return undefined
}
