// What a reload changes of a line: all that its url says, its pace and the length of its messages. It is closed and opened anew, and
// nothing else is.

import type { ListenerConfig } from '../../config/schema.ts'
import { isCalledUrl, isLineUrl, withoutKey } from '../../transport/line/url.ts'
import type { BoundListener } from '../datagrams/listener.ts'

/** Whether the listener that runs can become this one without a restart: both are lines, of those that are opened or that are called. */
export const canBecomeLine = (running: ListenerConfig, next: ListenerConfig): boolean =>
  isLineUrl(running.url) &&
  isLineUrl(next.url) &&
  isCalledUrl(running.url) === isCalledUrl(next.url) &&
  (running.name === next.name || (isOwnName(running) && isOwnName(next)))

/** Its name is its url, as none was given. */
const isOwnName = ({ name, url }: ListenerConfig): boolean => name === withoutKey(url)

/** The running listener with what is changed of a line. */
export const becomeLine = (
  running: ListenerConfig,
  { url, name, pace, maxMessageSize }: ListenerConfig,
): ListenerConfig => ({ ...running, url, name, pace, maxMessageSize })

/** Lets a line go over to what its listener says now; nothing happens if that is the same. */
export function changeLine({ transport, listener }: BoundListener, config: ListenerConfig): void {
  const { url, name, pace, maxMessageSize: longest } = config
  if (!isLineUrl(url)) return
  Object.assign(listener, { name })
  void transport.change?.({ url, longest, pace })
}
