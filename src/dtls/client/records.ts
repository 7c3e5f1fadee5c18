// Datagrams of the server: their records, in the order in which the client can use them.

import { discard, type Turn } from '../effects.ts'
import { alertName, FATAL, protocolFailure } from '../failure.ts'
import { FINISHED, type Fragment, HELLO_REQUEST, readFragments } from '../handshake/messages.ts'
import type { Opened } from '../record/channel.ts'
import {
  ALERT,
  APPLICATION_DATA,
  CHANGE_CIPHER_SPEC,
  DTLS10,
  DTLS12,
  type DtlsRecord,
  HANDSHAKE,
  readRecord,
} from '../record/record.ts'
import { CLIENT_SESSION, type ClientMachine } from './machine.ts'
import type { ClientHandshake } from './state.ts'

const MOST_EARLY = 4

export function receiveClientDatagram(client: ClientMachine, datagram: Uint8Array, turn: Turn): void {
  let at = 0
  while (at < datagram.length && client.state !== 'gone') {
    const cidLength = client.handshake?.ownCid.length ?? client.channel.ownCid.length
    const record = readRecord(datagram, at, cidLength)
    if (record === undefined) return discard(turn, 'malformed')
    at += record.size
    if (record.version !== DTLS12 && record.version !== DTLS10) discard(turn, 'version')
    else if (record.epoch === 0) receivePlain(client, record, turn)
    else if (record.epoch === 1) receiveProtected(client, record, turn)
    else discard(turn, 'malformed')
  }
}

/** Epoch 0 says nothing to an open session. */
function receivePlain(client: ClientMachine, record: DtlsRecord, turn: Turn): void {
  const { handshake } = client
  const { payload } = record
  if (handshake === undefined) return discard(turn, 'unexpected')
  switch (record.type) {
    case HANDSHAKE: {
      const fragments = readFragments(payload)
      if (fragments === undefined) return discard(turn, 'malformed')
      if (fragments.some(({ type }) => type === FINISHED)) return discard(turn, 'unexpected')
      addFragments(client, handshake, fragments, turn)
      break
    }
    case CHANGE_CIPHER_SPEC:
      if (payload.length !== 1 || payload[0] !== 1) return discard(turn, 'malformed')
      handshake.changed = true
      break
    case ALERT: {
      const [level, code = -1] = payload
      if (payload.length !== 2) return discard(turn, 'malformed')
      if (level === FATAL || code === 0) client.end('alert', `the server says ${alertName(code)}`, turn)
      return
    }
    default:
      return discard(turn, 'unexpected')
  }
  readEarly(client, turn)
}

function addFragments(
  client: ClientMachine,
  handshake: ClientHandshake,
  fragments: readonly Fragment[],
  turn: Turn,
): void {
  for (const fragment of fragments) {
    if (fragment.type === HELLO_REQUEST) continue
    const added = handshake.reassembly.add(fragment)
    if (typeof added !== 'string') return client.fail(added, turn)
  }
  while (client.handshake !== undefined) {
    const message = handshake.reassembly.take()
    if (message === undefined) return
    const failed = client.receiveMessage(handshake, message, turn)
    if (failed !== undefined) return client.fail(failed, turn)
  }
}

/** After the server's ChangeCipherSpec, when there are keys. */
const isReadable = ({ state, handshake }: ClientMachine): boolean =>
  state === 'open' || (state === 'finished' && handshake?.changed === true)

function receiveProtected(client: ClientMachine, record: DtlsRecord, turn: Turn): void {
  const { handshake } = client
  if (isReadable(client)) return receiveOpened(client, client.channel.open(record), turn)
  if (handshake === undefined || handshake.early.length >= MOST_EARLY) return discard(turn, 'early')
  handshake.early.push(record)
}

function readEarly(client: ClientMachine, turn: Turn): void {
  const { handshake } = client
  if (handshake === undefined || !isReadable(client)) return
  const { early } = handshake
  handshake.early = []
  for (const record of early) {
    if (isReadable(client)) receiveOpened(client, client.channel.open(record), turn)
  }
}

function receiveOpened(client: ClientMachine, opened: Opened, turn: Turn): void {
  const { handshake, settings } = client
  if (opened.result !== 'content') {
    if (opened.result === 'mac' && handshake !== undefined) handshake.undecrypted++
    discard(turn, opened.result)
    if (client.channel.isWorn) client.close('too many forged records', turn)
    return
  }
  const { type, content } = opened.content
  switch (type) {
    case APPLICATION_DATA:
      if (handshake === undefined) {
        turn.out.push({ type: 'data', session: CLIENT_SESSION, bytes: content, remote: settings.remote })
      } else if (handshake.earlyData.length < MOST_EARLY) handshake.earlyData.push(content)
      else discard(turn, 'early')
      return
    case HANDSHAKE:
      return receiveHandshake(client, content, turn)
    case ALERT: {
      const [level, code = -1] = content
      if (content.length !== 2) return discard(turn, 'malformed')
      if (code === 0) return client.close('close_notify', turn)
      if (level !== FATAL) return
      client.forgetResumption()
      return client.end('alert', `the server says ${alertName(code)}`, turn)
    }
    case -1:
      return client.fail(protocolFailure('unexpected_message', 'a record without a type'), turn)
    default:
      return discard(turn, 'unexpected')
  }
}

/** Finished, or once open a repeated one; a HelloRequest is not followed. */
function receiveHandshake(client: ClientMachine, content: Uint8Array, turn: Turn): void {
  const { handshake } = client
  const fragments = readFragments(content)
  if (fragments === undefined || fragments.some((each) => each.type !== FINISHED))
    return discard(turn, 'unexpected')
  if (handshake === undefined) return client.repeatLastFlight(turn)
  addFragments(client, handshake, fragments, turn)
}
