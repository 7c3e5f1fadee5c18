// Which addresses a listener takes datagrams from, and which of them may speak for other nodes [5.5, SN-FWD-9].

import type { ListenerConfig } from '../../config/schema.ts'
import { matcher } from '../../config/sections/networks.ts'

export interface Admission {
  /** whether this address may send here at all */
  admits(address: string): boolean
  /** whether it may speak for other nodes [SN-FWD-9] */
  isForwarder(address: string): boolean
}

/** Compiles a listener's networks. */
export function admissionOf(config: Pick<ListenerConfig, 'allow' | 'deny' | 'forwarders'>): Admission {
  const allowed = matcher(config.allow)
  const denied = matcher(config.deny)
  return {
    admits: (address) => (config.allow.length === 0 || allowed(address)) && !denied(address),
    isForwarder: matcher(config.forwarders),
  }
}
