// What a client keeps of its session: little while it is open, more while it is made.

import type { Randoms } from '../crypto/keys.ts'
import type { Trusted } from '../crypto/x509.ts'
import type { Agreement } from '../handshake/bodies.ts'
import type { FlightLimits, FlightPart, Repetition } from '../handshake/flight.ts'
import { writeMessage } from '../handshake/messages.ts'
import type { Reassembly } from '../handshake/reassembly.ts'
import type { Transcript } from '../handshake/transcript.ts'
import type { DtlsRecord } from '../record/record.ts'
import type { Suite } from '../suites.ts'

/** What the client waits for; `finished` = ticket, ChangeCipherSpec and Finished of the server. */
export type ClientState =
  | 'idle'
  | 'hello'
  | 'certificate'
  | 'key-exchange'
  | 'request'
  | 'done'
  | 'finished'
  | 'open'
  | 'gone'

export interface ClientHandshake {
  readonly clientRandom: Uint8Array
  readonly sessionId: Uint8Array
  /** numbers of the extensions in our hello: the server may answer these and no other */
  readonly offered: ReadonlySet<number>
  readonly extensions: Uint8Array
  readonly ownCid: Uint8Array
  readonly reassembly: Reassembly
  readonly deadline: number
  transcript: Transcript
  readonly repetition: Repetition
  limits: FlightLimits
  sendSeq: number
  flight: FlightPart[]
  suite: Suite | undefined
  randoms: Randoms | undefined
  serverSessionId: Uint8Array
  extendedMasterSecret: boolean
  resumed: boolean
  ticketComes: boolean
  ticket: Uint8Array | undefined
  server: Trusted | undefined
  agreement: Agreement | undefined
  certificateWanted: boolean
  master: Uint8Array | undefined
  changed: boolean
  early: DtlsRecord[]
  earlyData: Uint8Array[]
  undecrypted: number
}

/** Appends a message to our flight, and to what both sides hash. */
export function addOwnMessage(
  handshake: ClientHandshake,
  type: number,
  body: Uint8Array,
  epoch: 0 | 1 = 0,
): void {
  const message = writeMessage(type, handshake.sendSeq++, body)
  handshake.transcript.add(message)
  handshake.flight.push({ epoch, message })
}
