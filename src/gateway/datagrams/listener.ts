// One bound listener: its transport, who may send to it, its forwarders and its part in discovery [5.5, 6.1].

import type { Config, ListenerConfig } from '../../config/schema.ts'
import { servesBothFamilies } from '../../config/sections/listener.ts'
import type { ServerOptions } from '../../dtls/server/options.ts'
import type { Log } from '../../log.ts'
import type { Listener } from '../../session/peers.ts'
import { createDiscovery, type Discovery } from '../../sessions/discovery.ts'
import type { Sessions } from '../../sessions/table.ts'
import { type LinkOptions, openLink } from '../../transport/open.ts'
import type { SecureLink } from '../../transport/secure-link.ts'
import type { OnDatagram, Transport } from '../../transport/transport.ts'
import { findDatagramCalls } from '../../transport/udp/batched.ts'
import { mayBeAt } from '../dtls/association-use.ts'
import { Credentials } from '../dtls/credentials.ts'
import { type KeyLookUp, KeyQuestions } from '../dtls/key-questions.ts'
import { isPromise, isPromised, isRefusal, promiseId } from '../dtls/promises.ts'
import { createDtlsReports, type DtlsReportParts } from '../dtls/reports.ts'
import { serverOptionsOf } from '../dtls/server-options.ts'
import { logLine } from '../reports/line-log.ts'
import type { WorkerShare } from '../worker-share.ts'
import { type Admission, admissionOf } from './admission.ts'
import type { LinkGuards } from './link-guard.ts'

export interface BoundListener extends Admission {
  readonly index: number
  readonly listener: Listener
  readonly transport: Transport
  /** undefined where no group is configured */
  readonly discovery: Discovery | undefined
  /** keys and certificates, where this is a listener with DTLS */
  readonly credentials?: Credentials | undefined
}

/** What a listener is opened with. */
export interface ListenerParts {
  /** told when a line comes and goes */
  readonly log: Log
  /** it stands behind one that is bound already */
  readonly share?: WorkerShare | undefined
  /** wanted by those with DTLS */
  readonly secure?: SecureParts | undefined
  /** of a process that is not the only one which is ready to serve */
  readonly guards?: LinkGuards | undefined
}

export interface SecureParts extends DtlsReportParts {
  /** whose rules say where a sensor may be; another thread may have them */
  readonly sessions?: Sessions | undefined
  /** asked for keys that the configuration does not have */
  readonly findKey?: KeyLookUp | undefined
  /** links that have sessions of their own are added here, by the names of their listeners */
  readonly links: Map<string, SecureLink>
}

/** Those of a gateway, which may be one of several that share the sensors. */
export type OwnLinks = ListenerParts & { readonly secure: SecureParts }

/** Takes what comes in at a listener. */
export type OnBoundDatagram = (bound: BoundListener, ...datagram: Parameters<OnDatagram>) => void

/** Binds a listener, or stands behind one that is bound already (`share`); rejects with a clear error if that fails. */
export async function openListener(
  { gateway, listeners, limits }: Pick<Config, 'gateway' | 'listeners' | 'limits'>,
  index: number,
  onDatagram: OnBoundDatagram,
  { log, share, secure, guards }: ListenerParts,
): Promise<BoundListener> {
  const config = listeners[index]
  if (config === undefined) throw new Error(`there is no listener ${index}`)
  const { discovery, url, receiveBuffer, pace, maxMessageSize: longest } = config
  const bothFamilies = servesBothFamilies(config, listeners)
  let bound: BoundListener | undefined
  const receive: OnDatagram = (bytes, remote) => {
    if (bound !== undefined) onDatagram(bound, bytes, remote)
  }
  const { group: address, port, interface: via, hops = 1 } = discovery ?? {}
  const group = address === undefined ? undefined : { address, port, interface: via, hops }
  const listener: { -readonly [K in keyof Listener]: Listener[K] } = {
    name: config.name,
    maxMessage: longest,
    roaming: config.roaming,
  }
  const link: { -readonly [K in keyof LinkOptions]: LinkOptions[K] } = {
    ...{ url, bothFamilies, receiveBuffer, group, longest, pace, guard: guards?.guardOf(listener) },
    calls: findDatagramCalls(gateway.udp),
    onLine: (event) => logLine(log, listener.name, event),
    admitsHost: (host) => bound?.admitsHost?.(host) ?? false,
    // it is counted and told as a message from there would be
    onRefusedHost: (remote) => receive(new Uint8Array(0), remote),
  }
  let credentials: Credentials | undefined
  if (config.dtls !== undefined && secure !== undefined && share === undefined) {
    const admits = (address: string): boolean => bound?.admits(address) ?? false
    const questions = secure.findKey && new KeyQuestions(secure.findKey, config.name, log)
    credentials = new Credentials(questions)
    link.secure = {
      name: config.name,
      keyLog: config.dtls.keyLog,
      server: secureServerOf(config.dtls, limits, { index, admits, credentials }, secure),
      lookUp: questions && ((identity) => questions.wait(identity)),
      admits,
      promises: { isPromised, isPromise, isRefusal, idOf: promiseId },
      credentials: credentials.status,
      // it is counted and told as on any other listener, which refuses it for the same reason
      reports: { ...createDtlsReports(secure, listener), refused: receive },
    }
  }
  const transport = share?.listen(index, receive) ?? (await openLink(link, receive))
  if (transport.secure !== undefined) secure?.links.set(config.name, transport.secure)
  const room = transport.room?.bind(transport)
  if (room !== undefined) listener.room = room
  if ('longest' in transport) boundByLink(listener, transport)
  bound = {
    index,
    listener,
    transport,
    credentials,
    ...admissionOf(config),
    discovery:
      discovery &&
      createDiscovery(
        { interval: discovery.advertise, standbyFor: discovery.standbyFor, missed: discovery.missed },
        performance.now(),
      ),
  }
  return bound
}

/** What is configured holds as far as the link carries it; what that is, it may find out later. */
function boundByLink(listener: { maxMessage: number }, transport: Transport): void {
  let { maxMessage: configured } = listener
  Object.defineProperty(listener, 'maxMessage', {
    enumerable: true,
    get: () => Math.min(configured, transport.longest ?? Number.POSITIVE_INFINITY),
    set: (octets: number) => {
      configured = octets
    },
  })
}

/** The options of the core, with who may be where. */
export function secureServerOf(
  dtls: NonNullable<ListenerConfig['dtls']>,
  limits: Config['limits'],
  { index, admits, credentials = new Credentials() }: Pick<BoundListener, 'index' | 'admits' | 'credentials'>,
  { sessions }: SecureParts,
): ServerOptions {
  const mayMove: ServerOptions['mayMove'] = (association, { address }) =>
    admits(address) && (sessions === undefined || mayBeAt(sessions, index, association, address))
  return { ...serverOptionsOf(dtls, limits, credentials), mayMove }
}

/** The status of a listener; asks the system. */
export const listenerStatus = ({ listener: { name }, transport }: BoundListener) => ({
  name,
  url: transport.url,
  stats: transport.stats(),
})
