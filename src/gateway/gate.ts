// Where datagrams wait until the gateway knows its sensors again, and are turned away once it stops.

import type { Remote } from '../transport/transport.ts'
import { type Counters, count } from './counters.ts'
import type { Link } from './links.ts'

/** Datagrams that may wait: those of a second or two. */
const MOST = 5000

type Handle = (link: Link, bytes: Uint8Array, remote: Remote) => void

export interface Gate {
  readonly receive: Handle
  /** Handles what has waited, in order, and from now on everything at once. */
  open(): void
  /** Drops everything from now on. */
  close(): void
}

/** A gate that lets through to `handle`; closed, but patient, until it is opened. */
export function createGate(counters: Counters, handle: Handle): Gate {
  let state: 'waiting' | 'open' | 'closed' = 'waiting'
  let early: Parameters<Handle>[] = []
  return {
    receive(...datagram) {
      if (state === 'open') return handle(...datagram)
      if (state === 'waiting' && early.length < MOST) early.push(datagram)
      else count(counters.dropped, 'not-serving')
    },
    open() {
      state = 'open'
      for (const datagram of early) handle(...datagram)
      early = []
    },
    close() {
      state = 'closed'
      early = []
    },
  }
}
