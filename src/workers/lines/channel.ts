// What on a link shares one queue: all of a line, or each connection where modems call. Front and workers name it alike. Pure.

import { isCalledUrl, isLineUrl } from '../../transport/line/url.ts'
import type { Remote } from '../../transport/transport.ts'

/** The name of the queue that a message for this peer waits in; undefined on links that have none. */
export type ChannelOf = (remote: Pick<Remote, 'address' | 'port'>) => string | undefined

/** For a listener with this url. */
export function channelsOf(url: string): ChannelOf {
  if (!isLineUrl(url)) return () => undefined
  if (!isCalledUrl(url)) return () => ''
  // nodes with link addresses, such as `aquila/10.0.0.9/2`, share the connection of their modem
  return ({ address, port }) => `${address.replace(/^(\w+\/.+)\/[^/]+$/, '$1')} ${port}`
}

/** Messages that find room in an idle queue, if it may hold so many; see `Pace`. */
export const idleRoom = (messages: number): number => Math.ceil(messages / 2)

/** How much room one worker may use, and how many of its messages are accounted for in that. */
export interface LineRoom {
  /** the listener's number */
  readonly listener: number
  readonly channel: string
  readonly room: number
  readonly taken: number
  /** octets of the longest message that the line carries, where it knows */
  readonly longest?: number | undefined
}
