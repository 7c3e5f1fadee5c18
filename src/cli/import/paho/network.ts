// The sensor networks of Eclipse Paho's gateway as listeners. Its configuration file holds the settings of all builds.

import { isIP } from 'node:net'
import type { Draft, Tree } from '../draft.ts'
import { addDtlsStandIn } from '../dtls-listener.ts'
import type { Setting, Settings } from '../settings.ts'
import type { PahoClient, PahoNetwork, PahoSwitches } from './files.ts'

interface IpKeys {
  readonly any: string
  readonly port: readonly string[]
  readonly group: readonly string[]
  readonly groupPort: readonly string[]
  readonly interface: readonly string[]
  readonly hops: readonly string[]
}

/** The names of the keys; the later ones are those of versions before 2020. */
const IP: Readonly<Record<'udp' | 'udp6', IpKeys>> = {
  udp: {
    any: '0.0.0.0',
    port: ['GatewayPortNo'],
    group: ['MulticastIP'],
    groupPort: ['MulticastPortNo'],
    interface: [],
    hops: ['MulticastTTL'],
  },
  udp6: {
    any: '[::]',
    port: ['GatewayIPv6PortNo', 'GatewayUDP6Port'],
    group: ['MulticastIPv6', 'GatewayUDP6Broadcast'],
    groupPort: ['MulticastIPv6PortNo'],
    interface: ['MulticastIPv6If', 'GatewayUDP6If'],
    hops: ['MulticastHops', 'GatewayUDP6Hops'],
  },
}

const OTHERS = {
  dtls: ['DtlsCertsKey', 'DtlsPrivKey'],
  xbee: ['Baudrate', 'SerialDevice', 'ApiMode'],
  loralink: ['BaudrateLoRaLink', 'DeviceRxLoRaLink', 'DeviceTxLoRaLink'],
  rfcomm: ['RFCOMMAddress'],
}

const WHY_NOT_DTLS =
  "Paho's gateway shows its own certificate and asks sensors for none, and here each proves who it is: by a key (listeners[].dtls.psk) or a certificate of its own (clientCa). Its certificate and key will do for dtls.cert and dtls.key if they are on P-256"

/** Seconds between ADVERTISE messages where KeepAlive is not set. */
const DEFAULT_KEEP_ALIVE = '900'

const takeOne = (settings: Settings, keys: readonly string[]): Setting | undefined =>
  keys.map((key) => settings.take(key, 'first')).find((setting) => setting !== undefined)

/** Which build it was: told by the reader, or shown by the addresses of clients and by what is set. */
function networkOf(settings: Settings, clients: readonly PahoClient[]): PahoNetwork {
  const has = (keys: readonly string[]) => keys.some((key) => settings.left(key).length > 0)
  const addresses = clients.flatMap(({ ip }) => ip ?? [])
  if (addresses.length > 0) return addresses.every((ip) => isIP(ip) === 6) ? 'udp6' : 'udp'
  if (!has(IP.udp.port) && has(IP.udp6.port)) return 'udp6'
  return 'udp'
}

/** Writes the listener of the network that the gateway was built for; the keys of the others are reported. */
export function importPahoNetwork(
  settings: Settings,
  clients: readonly PahoClient[],
  { forwarder }: PahoSwitches,
  draft: Draft,
  told: PahoNetwork | undefined,
): void {
  const network = told ?? networkOf(settings, clients)
  const keepAlive = settings.take('KeepAlive', 'first')
  if (keepAlive) {
    draft.set(['broker', 'keepAlive'], `${keepAlive.value}s`, keepAlive)
    draft.note(
      keepAlive,
      "Paho's manual calls it keep-alive, its source makes the interval of ADVERTISE of it: written as both. To the broker Paho passes the sensors' own keep-alive",
    )
  }
  const family = network.endsWith('6') ? 'udp6' : 'udp'
  if (/^(udp|dtls)/.test(network)) {
    const listener = addListener(settings, IP[family], network, draft)
    addDiscovery(settings, IP[family], listener, keepAlive, draft)
    const forwarders = clients.filter(({ flags }) => forwarder && flags.includes('forwarder'))
    if (forwarders.length > 0)
      listener.forwarders = [...new Set(forwarders.map(({ ip }) => ip).filter(Boolean))]
    for (const { id, address, ip, place } of forwarders) {
      if (ip === undefined) draft.note(place, `the forwarder ${id} has no IP address: left out`)
      else
        draft.comment(
          listener,
          `forwarders (Forwarder): ${id} ${address} (${place}); its port does not count here`,
        )
    }
    if (forwarder && forwarders.length === 0)
      draft.note(forwarder, 'no client with the flag forwarder is there: listeners[].forwarders stays empty')
  } else {
    draft.note('network', `a build for ${network} has no counterpart here: listeners hear UDP only`)
  }
  noteOthers(settings, network, draft)
}

function addListener(settings: Settings, keys: IpKeys, network: PahoNetwork, draft: Draft): Tree {
  const port = takeOne(settings, keys.port)
  if (network.startsWith('dtls')) {
    const used = OTHERS.dtls.flatMap((key) => settings.takeAll(key))
    const version = keys === IP.udp ? 4 : 6
    return addDtlsStandIn(draft, { version, port: port?.value ?? '10000', used, why: WHY_NOT_DTLS })
  }
  const bind = settings.take('GatewayUDP6Bind', 'first')
  const address = bind && keys === IP.udp6 && isIP(bind.value) === 6 ? `[${bind.value}]` : keys.any
  const listener = draft.add('listeners', { url: `udp://${address}:${port?.value ?? '10000'}` })
  if (port) draft.comment(listener, `url: ${port.key} (${port.place})`)
  else draft.note(keys.port[0] ?? '', 'is missing: the listener has port 10000, that of the sample of Paho')
  return listener
}

function addDiscovery(
  settings: Settings,
  keys: IpKeys,
  listener: Tree,
  keepAlive: Setting | undefined,
  draft: Draft,
): void {
  const found = {
    group: takeOne(settings, keys.group),
    port: takeOne(settings, keys.groupPort),
    interface: takeOne(settings, keys.interface),
    hops: takeOne(settings, keys.hops),
  }
  if (found.group === undefined) {
    for (const setting of [found.port, found.interface, found.hops])
      if (setting) draft.note(setting, 'left out, as no multicast address is set')
    return
  }
  const discovery: Tree = {
    group: found.group.value,
    advertise: `${keepAlive?.value ?? DEFAULT_KEEP_ALIVE}s`,
  }
  listener.discovery = discovery
  for (const [key, setting] of Object.entries(found)) {
    if (setting === undefined) continue
    const value = key === 'port' || key === 'hops' ? draft.wholeOf(setting) : setting.value
    if (value !== undefined) discovery[key] = value
    draft.comment(discovery, `${key}: ${setting.key} (${setting.place})`)
  }
}

function noteOthers(settings: Settings, network: PahoNetwork, draft: Draft): void {
  const other = network.endsWith('6') ? IP.udp : IP.udp6
  const keys = [other.port, other.group, other.groupPort, other.interface, other.hops].flat()
  const named = other === IP.udp ? 'udp or dtls' : 'udp6 or dtls6'
  for (const setting of keys.flatMap((key) => settings.takeAll(key)))
    draft.note(setting, `not used: it concerns a build for ${named} (--network says which it was)`)
  for (const [kind, theirs] of Object.entries(OTHERS)) {
    for (const setting of theirs.flatMap((key) => settings.takeAll(key)))
      draft.note(setting, `not used: it concerns a build for ${kind} (--network says which it was)`)
  }
}
