// Datagrams of listeners with DTLS as they are on the wire, for who captures them.

import type { WireDatagram } from '../console/contract/live.ts'
import type { SecureLink } from '../transport/secure-link.ts'

/** Calls back for all of these links until the returned function is called. */
export function watchWire(
  links: ReadonlyMap<string, Pick<SecureLink, 'watch'>>,
  listener: (datagram: WireDatagram) => void,
): () => void {
  const ends = [...links].map(([name, link]) =>
    link.watch(({ association, ...datagram }) =>
      listener({ ...datagram, listener: name, identity: association?.identity }),
    ),
  )
  return () => {
    for (const end of ends) end()
  }
}
