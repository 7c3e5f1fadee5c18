// What makes a gateway one of several that share the sensors: each runs in a thread of its own, and another thread has the
// sockets.

import type { Sessions } from '../sessions/table.ts'
import type { StorePart } from '../store/part.ts'
import type { OnDatagram, Remote, Transport } from '../transport/transport.ts'

/** The share of one gateway. */
export interface WorkerShare {
  /** this one alone publishes the status of the whole gateway and takes part in discovery */
  readonly speaks: boolean
  /** a table without sessions; the caller may observe what is put into it */
  readonly sessions: Sessions
  /** the part of the store that has its sensors */
  readonly stored: StorePart
  /** the slots that it may serve; those of others are no business of it */
  readonly slots: readonly number[]
  /** the slot of a sensor, as all of them count */
  slotOf(clientId: string): number
  /** takes the place of a socket; `listener`: the listener's number */
  listen(listener: number, onDatagram: OnDatagram): Transport
  /** takes a datagram whose slot has left before it was handled; `age`: for how long it counts as held, milliseconds */
  giveBack(listener: number, bytes: Uint8Array, remote: Remote, age: number): void
}
