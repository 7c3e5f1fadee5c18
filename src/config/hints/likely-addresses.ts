// Urls and networks as people write them elsewhere, in the spelling of this configuration. Pure.

import { isLineUrl } from '../../transport/line/url.ts'
import { parseBrokerUrl, parseListenerUrl } from '../sections/addresses.ts'

const SCHEMES: Readonly<Record<string, string>> = {
  tcp: 'mqtt',
  mqtt: 'mqtt',
  mqttv5: 'mqtt',
  tcp4: 'mqtt',
  tcp6: 'mqtt',
  'mqtt+tcp': 'mqtt',
  ssl: 'mqtts',
  tls: 'mqtts',
  mqtts: 'mqtts',
  tcps: 'mqtts',
  'mqtt+ssl': 'mqtts',
  'mqtt+tls': 'mqtts',
  'tcp+tls': 'mqtts',
  mqttssl: 'mqtts',
  http: 'ws',
  ws: 'ws',
  'mqtt+ws': 'ws',
  https: 'wss',
  wss: 'wss',
  'mqtt+wss': 'wss',
}

/** The url that was probably meant at a path without positions, such as `listeners.url`. */
export function likelyUrl(section: string, value: string): string | undefined {
  const text = value.trim()
  if (section.startsWith('broker')) return legal(likelyBroker(text), parseBrokerUrl)
  if (section.startsWith('listeners') || section.startsWith('from'))
    return legal(likelyListener(text), (url) => (isLineUrl(url) ? url : parseListenerUrl(url)))
  if (section.startsWith('to')) return likelyGateway(text)
  return section.startsWith('console') || section === 'metrics' ? likelyConsole(text) : undefined
}

const legal = (url: string | undefined, parse: (url: string) => unknown): string | undefined =>
  url !== undefined && (url === 'embedded' || parse(url) !== undefined) ? url : undefined

/** The same for a url whose rest must not be shown. */
export function schemeHint(value: string): string | undefined {
  const scheme = /^([a-z0-9+]+):/i.exec(value)?.[1] ?? ''
  const known = SCHEMES[scheme.toLowerCase()]
  return known === undefined || known === scheme
    ? undefined
    : `write "${known}://" in place of "${scheme}://"`
}

function likelyBroker(value: string): string | undefined {
  if (/^embedded$/i.test(value)) return 'embedded'
  const [, scheme, rest = ''] = /^([a-z0-9+]+):\/*(.+)$/i.exec(value) ?? []
  const known = scheme === undefined ? undefined : SCHEMES[scheme.toLowerCase()]
  if (known !== undefined && /^[^:/\s]+|^\[/.test(rest)) return `${known}://${rest}`
  if (!/^(?:[\w-]+(?:\.[\w-]+)*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(value)) return undefined
  return `${/:(?:8883|8884)$/.test(value) ? 'mqtts' : 'mqtt'}://${value}`
}

function likelyListener(value: string): string | undefined {
  if (isLineUrl(value)) return undefined // what is wrong with it is told by its kind
  if (/^\/dev\/./.test(value)) return `serial://${value}?framing=slip`
  const bare = value.replace(/^[a-z0-9+-]+:\/*/i, '').replace(/\/.*$/, '')
  if (/^\d{1,5}$/.test(bare)) return `udp://0.0.0.0:${bare}`
  if (/^[0-9a-f]*:[0-9a-f:]*:[0-9a-f:]*$/i.test(bare)) return `udp://[${bare}]:1884`
  const [, host = '', port = '1884'] = /^(\[[^\]]+\]|[^:[\]]*)(?::(\d{1,5}))?$/.exec(bare) ?? []
  if (host === 'localhost') return `udp://127.0.0.1:${port}`
  if (host === '' || host === '*' || host === '0') return value === '' ? undefined : `udp://0.0.0.0:${port}`
  return /^\d+\.\d+\.\d+\.\d+$/.test(host) || host.startsWith('[') ? `udp://${host}:${port}` : undefined
}

/** A gateway as other commands take it: without scheme, and without the usual port. */
function likelyGateway(value: string): string | undefined {
  const [, host = '', port = '1884'] =
    /^(?:udp:\/\/)?([\w.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i.exec(value) ?? []
  return host === '' || /^\d+$/.test(host) ? undefined : `udp://${host}:${port}`
}

function likelyConsole(value: string): string | undefined {
  const bare = value.replace(/^[a-z]+:\/*/i, '').replace(/\/.*$/, '')
  if (/^:?\d{1,5}$/.test(bare)) return `http://127.0.0.1:${bare.replace(':', '')}`
  return /^[\w.-]+(?::\d{1,5})?$/.test(bare) ? `http://${bare}` : undefined
}

/** The network that was probably meant. */
export function likelyNetwork(value: string): string | undefined {
  const text = value.trim()
  if (/^(localhost)$/i.test(text)) return '127.0.0.0/8'
  if (/^(any|all|\*)$/i.test(text)) return '0.0.0.0/0'
  const [, address = '', mask = ''] = /^([\d.]+)\/(\d+\.\d+\.\d+\.\d+)$/.exec(text) ?? []
  if (mask !== '') {
    const bits = mask
      .split('.')
      .map((octet) => Number(octet).toString(2).padStart(8, '0'))
      .join('')
    return /^1*0*$/.test(bits) && bits.length === 32
      ? `${address}/${bits.replaceAll('0', '').length}`
      : undefined
  }
  const parts = text.replace(/\/\d+$/, '').split('.')
  const last = parts.findIndex((part) => !/^\d{1,3}$/.test(part))
  const fixed = last < 0 ? parts : parts.slice(0, last)
  const isOpen = parts.slice(fixed.length).every((part) => /^[*x]?$/.test(part))
  if (isOpen && parts.length <= 4 && fixed.length > 0 && fixed.length < 4) {
    return `${[...fixed, '0', '0', '0'].slice(0, 4).join('.')}/${fixed.length * 8}`
  }
  return /^(?:\[([^\]]+)\]|([\d.]+)):\d+$/.exec(text)?.slice(1).find(Boolean)
}
