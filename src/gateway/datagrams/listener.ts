// One bound listener: its transport, who may send to it, its forwarders and its part in discovery [5.5, 6.1].

import type { Config } from '../../config/schema.ts'
import { servesBothFamilies } from '../../config/sections/listener.ts'
import type { Log } from '../../log.ts'
import type { Listener } from '../../session/peers.ts'
import { createDiscovery, type Discovery } from '../../sessions/discovery.ts'
import { openLink } from '../../transport/open.ts'
import type { OnDatagram, Transport } from '../../transport/transport.ts'
import { logLine } from '../reports/line-log.ts'
import type { WorkerShare } from '../worker-share.ts'
import { type Admission, admissionOf } from './admission.ts'

export interface BoundListener extends Admission {
  readonly index: number
  readonly listener: Listener
  readonly transport: Transport
  /** undefined where no group is configured */
  readonly discovery: Discovery | undefined
}

/** Binds a listener, or stands behind one that is bound already (`share`); rejects with a clear error if that fails. */
export async function openListener(
  { listeners }: Pick<Config, 'listeners'>,
  index: number,
  now: number,
  onDatagram: (bound: BoundListener, ...datagram: Parameters<OnDatagram>) => void,
  { share, log }: { readonly share?: WorkerShare | undefined; readonly log: Log },
): Promise<BoundListener> {
  const config = listeners[index]
  if (config === undefined) throw new Error(`there is no listener ${index}`)
  const { discovery, url, receiveBuffer, pace, maxMessageSize: longest } = config
  const bothFamilies = servesBothFamilies(config, listeners)
  let bound: BoundListener | undefined
  const receive: OnDatagram = (bytes, remote) => {
    if (bound !== undefined) onDatagram(bound, bytes, remote)
  }
  const group = discovery && {
    address: discovery.group,
    port: discovery.port,
    interface: discovery.interface,
    hops: discovery.hops,
  }
  const transport =
    share?.listen(index, receive) ??
    (await openLink(
      {
        ...{ url, bothFamilies, receiveBuffer, group, longest, pace },
        onLine: (event) => logLine(log, config.name, event),
      },
      receive,
    ))
  const room = transport.room?.bind(transport)
  bound = {
    index,
    listener: { name: config.name, maxMessage: longest, roaming: config.roaming, ...(room && { room }) },
    transport,
    ...admissionOf(config),
    discovery:
      discovery &&
      createDiscovery(
        { interval: discovery.advertise, standbyFor: discovery.standbyFor, missed: discovery.missed },
        now,
      ),
  }
  return bound
}

/** The status of a listener; asks the system. */
export const listenerStatus = ({ listener: { name }, transport }: BoundListener) => ({
  name,
  url: transport.url,
  stats: transport.stats(),
})
