// A DTLS link with a store that writes when the test says so, on loopback; alone, or one of several that share sessions.

import { onTestFinished } from 'vitest'
import { isPromise, isPromised, isRefusal, promiseId } from '../../src/gateway/dtls/promises.ts'
import type { Association } from '../../src/session/peers.ts'
import type { SecureOptions } from '../../src/transport/dtls/options.ts'
import { openLink } from '../../src/transport/open.ts'
import type { SecureLink, SessionSharing } from '../../src/transport/secure-link.ts'
import type { Remote, Transport } from '../../src/transport/transport.ts'
import { UdpClient } from './dtls-udp.ts'
import type { StoreByHand } from './store-by-hand.ts'

const KEY = Uint8Array.from({ length: 16 }, (_, i) => i)
const quiet = () => {}

/** Everything that a test looks at. */
export interface StoredLink {
  readonly secure: SecureLink
  readonly transport: Transport
  readonly port: number
  /** messages that came, with their sender */
  readonly received: { readonly bytes: Uint8Array; readonly from: Remote }[]
  /** sessions that ended, and why */
  readonly closed: (readonly [association: Association, why: string])[]
  /** datagrams that were of no session here */
  readonly passed: Uint8Array[]
  readonly discarded: string[]
  send(bytes: Uint8Array, to: Remote): void
}

/**
 * `answer`: what every message is answered with at once; `sharing`: undefined where it has all sessions; `store`: undefined, and it is to
 * be begun by somebody else.
 */
export async function openStoredLink({
  name = 'field',
  store,
  server = {},
  sharing,
  answer,
}: {
  readonly name?: string
  readonly store?: StoreByHand
  readonly server?: Partial<SecureOptions['server']>
  readonly sharing?: Partial<SessionSharing>
  readonly answer?: (bytes: Uint8Array) => Uint8Array
} = {}): Promise<StoredLink> {
  const received: { bytes: Uint8Array; from: Remote }[] = []
  const closed: [Association, string][] = []
  const passed: Uint8Array[] = []
  const discarded: string[] = []
  const secureOptions: SecureOptions = {
    server: { findKey: (identity) => (identity === 'meter-1' ? KEY : undefined), ...server },
    name,
    admits: () => true,
    promises: { isPromised, isPromise, isRefusal, idOf: promiseId },
    credentials: () => ({ identities: 1, pskFile: undefined, trouble: undefined, certificates: {} }),
    reports: {
      ...{ refused: quiet, opened: quiet, moved: quiet, failed: quiet },
      closed: (association, why) => void closed.push([association, why]),
      discarded: (reason) => void discarded.push(reason),
      fault: (error) => {
        throw error
      },
    },
  }
  const transport = await openLink(
    { url: 'dtls://127.0.0.1:0', receiveBuffer: 65_536, secure: secureOptions },
    (bytes, from) => {
      received.push({ bytes: Uint8Array.from(bytes), from })
      if (answer !== undefined) transport.send(answer(bytes), from)
    },
  )
  onTestFinished(() => transport.close())
  const { secure } = transport
  if (secure === undefined) throw new Error('it is a DTLS link')
  if (store !== undefined) secure.begin(store, sharing && sharingOf(sharing, passed))
  const port = Number(/\d+$/.exec(transport.url)?.[0])
  const send = transport.send.bind(transport)
  return { secure, transport, port, received, closed, passed, discarded, send }
}

/** With others that do nothing, but for what is told; `passed`: datagrams that were of no session here. */
export const sharingOf = (sharing: Partial<SessionSharing>, passed: Uint8Array[] = []): SessionSharing => ({
  chooseSlot: () => undefined,
  wayIn: (from) => from,
  wayOut: (to) => to,
  isWaiting: () => false,
  pass: (bytes) => void passed.push(Uint8Array.from(bytes)),
  noteAddress: quiet,
  forgetAddress: quiet,
  ...sharing,
})

/** A sensor at this port. */
export async function openStoredSensor(
  { port }: Pick<StoredLink, 'port'>,
  options: Partial<Parameters<typeof UdpClient.connect>[1]> = {},
): Promise<UdpClient> {
  const client = await UdpClient.connect(port, { psk: { identity: 'meter-1', key: KEY }, ...options })
  onTestFinished(() => client.end())
  await client.next('open')
  return client
}
