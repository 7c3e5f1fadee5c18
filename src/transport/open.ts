// Opens a link to sensors: which kind it is, its url says.

import { openDtls } from './dtls/dtls.ts'
import type { DtlsOptions } from './dtls/options.ts'
import { TransportError } from './error.ts'
import { guarded, type LinkGuard } from './guarded.ts'
import { openLine } from './line/line.ts'
import type { LineOptions } from './line/options.ts'
import type { OnDatagram, Transport } from './transport.ts'
import { openUdp } from './udp/udp.ts'

/** What a link may be opened with; each kind takes what it knows. */
export type LinkOptions = DtlsOptions & LineOptions & { readonly guard?: LinkGuard | undefined }

type Open = (
  options: LinkOptions,
  onDatagram: OnDatagram,
  onError?: (error: Error) => void,
) => Promise<Transport>

const line = guarded(openLine)

/** The kinds of link, by the scheme of their urls. */
const KINDS: Readonly<Record<string, Open>> = {
  udp: guarded(openUdp),
  dtls: openDtls,
  serial: line,
  tcp: line,
  xbee: line,
  'tcp-listen': line,
  loralink: line,
}

/**
 * Opens the link that the url names, and calls `onDatagram` for all that arrives there. Later errors are counted and told to
 * `onError`. Rejects with TransportError if the link cannot be had, or there is no such kind.
 */
export async function openLink(
  options: LinkOptions,
  onDatagram: OnDatagram,
  onError?: (error: Error) => void,
): Promise<Transport> {
  const [scheme = ''] = options.url.split(':', 1)
  const open = Object.hasOwn(KINDS, scheme) ? KINDS[scheme] : undefined
  if (open === undefined) throw new TransportError('invalid', `${options.url}: there is no link "${scheme}"`)
  return open(options, onDatagram, onError)
}
