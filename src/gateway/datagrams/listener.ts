// One bound listener: its transport, who may send to it, its forwarders and its part in discovery [5.5, 6.1].

import type { ListenerConfig } from '../../config/schema.ts'
import type { Listener } from '../../session/peers.ts'
import { createDiscovery, type Discovery } from '../../sessions/discovery.ts'
import type { OnDatagram, Transport } from '../../transport/transport.ts'
import { openUdp } from '../../transport/udp/udp.ts'
import type { Share } from '../worker-share.ts'
import { type Admission, admissionOf } from './admission.ts'

export interface Link extends Admission {
  readonly index: number
  readonly listener: Listener
  readonly transport: Transport
  /** undefined where no group is configured */
  readonly discovery: Discovery | undefined
}

/** Binds a listener, or stands behind one that is bound already (`share`); rejects with a clear error if that fails. */
export async function openLink(
  config: ListenerConfig,
  index: number,
  now: number,
  onDatagram: (link: Link, ...datagram: Parameters<OnDatagram>) => void,
  share?: Share,
): Promise<Link> {
  const { discovery } = config
  let link: Link | undefined
  const receive: OnDatagram = (bytes, remote) => {
    if (link !== undefined) onDatagram(link, bytes, remote)
  }
  const group = discovery && {
    address: discovery.group,
    port: discovery.port,
    interface: discovery.interface,
    hops: discovery.hops,
  }
  const transport =
    share?.listen(index, receive) ??
    (await openUdp({ url: config.url, receiveBuffer: config.receiveBuffer, group }, receive))
  link = {
    index,
    listener: { name: config.name, maxMessage: config.maxMessageSize, roaming: config.roaming },
    transport,
    ...admissionOf(config),
    discovery:
      discovery &&
      createDiscovery(
        { interval: discovery.advertise, standbyFor: discovery.standbyFor, missed: discovery.missed },
        now,
      ),
  }
  return link
}

/** How a listener stands; asks the system. */
export const linkStatus = ({ listener: { name }, transport }: Link) => ({
  name,
  url: transport.url,
  stats: transport.stats(),
})
