// A link that somebody else allows to take and to send, datagram by datagram.

import type { OnDatagram, Remote, Transport } from './transport.ts'

/** Who allows it. */
export interface LinkGuard {
  /** Whether what comes from there may be taken. */
  takes(from: Remote): boolean
  /** Whether something may leave now; `to`: undefined for all nodes at once. */
  letsGo(to: Remote | undefined): boolean
}

/** What opens a link. */
type Open<Options> = (
  options: Options,
  onDatagram: OnDatagram,
  onError?: (error: Error) => void,
) => Promise<Transport>

/** The same, for links that may have a guard; those without one are as they were. */
export const guarded =
  <Options>(open: Open<Options>): Open<Options & { readonly guard?: LinkGuard | undefined }> =>
  async (options, onDatagram, onError) => {
    const { guard } = options
    if (guard === undefined) return open(options, onDatagram, onError)
    const link = await open(
      options,
      (bytes, from) => {
        if (guard.takes(from)) onDatagram(bytes, from)
      },
      onError,
    )
    const [send, broadcast] = [link.send.bind(link), link.broadcast.bind(link)]
    link.send = (bytes, remote) => {
      if (guard.letsGo(remote)) send(bytes, remote)
    }
    link.broadcast = (bytes, radius) => {
      if (guard.letsGo(undefined)) broadcast(bytes, radius)
    }
    return link
  }
