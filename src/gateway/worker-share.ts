// One of several gateways that share the sensors, each in a thread of its own, behind sockets that another thread has.

import type { Sessions } from '../sessions/table.ts'
import type { StorePart } from '../store/lmdb/lmdb.ts'
import type { OnDatagram, Transport } from '../transport/transport.ts'

export interface Share {
  /** it alone speaks for all: status of the gateway, discovery */
  readonly speaks: boolean
  /** empty; the caller may watch it */
  readonly sessions: Sessions
  /** its part of the store */
  readonly stored: StorePart
  /** takes the place of a socket; `listener`: the listener's number */
  listen(listener: number, onDatagram: OnDatagram): Transport
}
