// Binds the listeners of a gateway: all at once, or those first that may be bound while another process serves.

import type { Config } from '../../config/schema.ts'
import type { Listener } from '../../session/peers.ts'
import { logListening } from '../reports/log-lines.ts'
import { type BoundListener, type OnBoundDatagram, type OwnLinks, openListener } from './listener.ts'

/** A line belongs to who has opened it; a socket can be shared out by whoever is in front. */
const SOCKET = /^(?:udp|dtls):/

/** Whether a node that stands by may have it bound already. */
export const isBoundEarly = ({ url }: Config['listeners'][number]): boolean => SOCKET.test(url)

/**
 * Binds those that are not in `listeners` yet, and adds them; `early`: only those that a node which stands by may have. Rejects if one
 * cannot be bound.
 */
export async function bindListeners(
  config: Config,
  listeners: Map<Listener, BoundListener>,
  onDatagram: OnBoundDatagram,
  links: OwnLinks,
  early = false,
): Promise<void> {
  const bound = new Set([...listeners.values()].map(({ index }) => index))
  for (const [index, listener] of config.listeners.entries()) {
    if (bound.has(index) || (early && !isBoundEarly(listener))) continue
    const opened = await openListener(config, index, onDatagram, links)
    listeners.set(opened.listener, opened)
    if (links.share === undefined) logListening(links.log, opened)
  }
}
