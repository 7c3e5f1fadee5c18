// Hellos [6347 4.2.1]: without a valid cookie an answer and no state; with one, an association and our first flight.

import { discard, type Remote, type Turn } from '../../effects.ts'
import { alertOctets, FATAL, type Failure } from '../../failure.ts'
import { readClientHello, writeHelloVerifyRequest } from '../../handshake/hello.ts'
import {
  type Fragment,
  HELLO_VERIFY_REQUEST,
  MESSAGE_HEADER,
  writeMessage,
} from '../../handshake/messages.ts'
import { sameOctets } from '../../octets.ts'
import { ALERT, DTLS10, type DtlsRecord, HANDSHAKE, writePlainRecord } from '../../record/record.ts'
import type { Place } from '../../slots.ts'
import { sendFlight } from '../answers.ts'
import type { Association } from '../association.ts'
import { type ServerContext, sendTo, wake } from '../context.ts'
import { endHandshake } from '../end.ts'
import type { AddressRate } from './address-rate.ts'
import type { Cookies } from './cookie.ts'
import { startFull, startResumed } from './first-flight.ts'
import { chooseSuite, type Offer, readOffer } from './negotiate.ts'
import { chooseResumption } from './resume.ts'

/** Octets of a HelloVerifyRequest with our cookie: never more than what is answered. */
const ANSWER_LENGTH = 44
/** It is kept until the handshake is over; honest ones have a few hundred octets. */
const LONGEST_HELLO = 4096

/** A ClientHello in epoch 0. Pieces of one are not put together: that would be state for a stranger. */
export function receiveHello(
  context: ServerContext,
  cookies: Cookies,
  rate: AddressRate,
  record: DtlsRecord,
  fragment: Fragment,
  from: Remote,
  turn: Turn,
): void {
  const { messageSeq, offset, length, body } = fragment
  const isWhole = offset === 0 && body.length === length
  if (
    !isWhole ||
    record.payload.length !== MESSAGE_HEADER + length ||
    record.size < ANSWER_LENGTH ||
    length > LONGEST_HELLO
  )
    return discard(turn, 'malformed')
  const hello = readClientHello(body)
  if (hello === undefined) return discard(turn, 'malformed')
  const cookie = cookies.check(hello, from, turn.now)
  if (!cookie.isRight) {
    const answer = writeHelloVerifyRequest(cookie.wanted)
    const message = writeMessage(HELLO_VERIFY_REQUEST, messageSeq, answer)
    sendTo(from, writePlainRecord(HANDSHAKE, record.sequence, message, DTLS10), turn)
    turn.out.push({ type: 'verify' })
    return
  }
  const { table, settings } = context
  const underWay = table.halfOpenAt(from)
  const { handshake } = underWay ?? {}
  if (underWay && handshake?.helloSeq === messageSeq && sameOctets(handshake.randoms.client, hello.random)) {
    // while a key is looked up there is nothing to repeat: the client has our flight
    if (underWay.state !== 'looking-up') sendFlight(underWay, handshake.flight, handshake.limits, turn)
    return
  }
  if (!rate.admits(from.address, settings.handshakesPerAddress, turn.now))
    return discard(turn, 'address-rate')
  if (underWay !== undefined) endHandshake(context, underWay, 'replaced', 'the client began anew', turn)
  if (table.halfOpen.size >= settings.handshakes) return discard(turn, 'half-open')
  // nobody has to go for a hello; who goes is decided when a session opens
  const isFull = table.sessions.size >= settings.sessions && table.unused.size === 0
  if (isFull && table.openAt(from) === undefined) return discard(turn, 'sessions')
  const offer = readOffer(hello, settings)
  const place = settings.place?.()
  if (settings.place !== undefined && place === undefined) return discard(turn, 'sessions')
  const started = 'alert' in offer ? offer : start(context, offer, record, messageSeq, from, place, turn)
  if (!('alert' in started)) return
  const { alert, cause, why } = started
  sendTo(from, writePlainRecord(ALERT, record.sequence, alertOctets(FATAL, alert)), turn)
  turn.out.push({ type: 'failed', remote: from, identity: undefined, cause, why, undecrypted: 0 })
}

function start(
  context: ServerContext,
  offer: Offer,
  record: DtlsRecord,
  helloSeq: number,
  from: Remote,
  place: Place | undefined,
  turn: Turn,
): Association | Failure {
  const { settings, table } = context
  const beginning = { offer, from, helloSeq, recordSequence: record.sequence, place }
  const resumption = chooseResumption(context, offer, turn)
  if (resumption !== undefined && 'alert' in resumption) return resumption
  // falling back to a full handshake goes on with the same verified hello
  const choice = resumption === undefined ? chooseSuite(offer, settings) : undefined
  if (choice !== undefined && 'alert' in choice) return choice
  const association =
    choice === undefined
      ? resumption && startResumed(context, beginning, resumption, turn)
      : startFull(context, beginning, choice, turn)
  if (association === undefined || 'alert' in association) {
    return association ?? { alert: 'internal_error', cause: 'fault', why: 'nothing to start' }
  }
  table.addHalfOpen(association)
  const { handshake } = association
  if (handshake === undefined) return association
  wake(context, Math.min(handshake.repetition.at, handshake.deadline))
  sendFlight(association, handshake.flight, handshake.limits, turn)
  return association
}
