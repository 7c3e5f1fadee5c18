// Opens a DTLS link: a UDP socket, with the core of DTLS in front of it.

import { TransportError } from '../error.ts'
import { guarded } from '../guarded.ts'
import type { OnDatagram, Transport } from '../transport.ts'
import { openUdp } from '../udp/udp.ts'
import { DtlsTransport } from './dtls-transport.ts'
import type { DtlsOptions } from './options.ts'

const openSocket = guarded(openUdp)

/** Opens a DTLS link. It answers nobody before `secure.begin` is called. Rejects with TransportError. */
export async function openDtls(
  options: DtlsOptions,
  onDatagram: OnDatagram,
  onError?: (error: Error) => void,
): Promise<Transport> {
  const { secure, ...udp } = options
  if (secure === undefined)
    throw new TransportError('invalid', `${options.url}: it needs pre-shared keys or a certificate (dtls)`)
  let link: DtlsTransport | undefined
  const url = options.url.replace(/^dtls:/, 'udp:')
  const socket = await openSocket({ ...udp, url }, (...datagram) => link?.receive(...datagram), onError)
  try {
    link = new DtlsTransport(socket, secure, onDatagram)
    return link
  } catch (error) {
    await socket.close()
    throw error
  }
}
