// Listeners of EMQX: those of its MQTT-SN gateway become ours, one of its MQTT listeners becomes the way to the broker.

import { isIP } from 'node:net'
import type { Draft, Tree } from '../draft.ts'
import type { Setting, Settings } from '../settings.ts'
import { importEmqxDtls, importEmqxIdentities } from './emqx-dtls.ts'

/** Settings of a listener without counterpart, and what to use instead. */
const WITHOUT: Readonly<Record<string, string>> = {
  max_conn_rate: 'no counterpart: limits.connectsPerAddress holds per address, not per listener',
  acceptors: 'no counterpart: see workers',
  enable_authn: 'no counterpart: the broker decides about logins',
  authentication: 'no counterpart: the broker decides about logins',
  mountpoint: 'no counterpart: topics reach the broker as sensors name them',
  health_check: 'no counterpart: ask /api/health over HTTP, or send a SEARCHGW',
  udp_options: 'no counterpart',
  proxy_protocol: 'no counterpart',
  proxy_protocol_timeout: 'no counterpart',
}

interface Address {
  readonly host: string
  readonly port: string
}

/** `1884`, `:1884`, `0.0.0.0:1884`, `:::1884`, `[::]:1884`: an address to listen on; undefined if it is none. */
export function addressOf(bind: string): Address | undefined {
  const [, v6, plain = '', port = ''] = /^(?:\[([0-9a-fA-F:.]+)\]:|(.*):)?(\d{1,5})$/.exec(bind) ?? []
  const host = v6 ?? (plain === '' ? '0.0.0.0' : plain)
  return port === '' || isIP(host) === 0 ? undefined : { host, port }
}

const urlOf = ({ host, port }: Address) => `udp://${isIP(host) === 6 ? `[${host}]` : host}:${port}`

interface Found {
  readonly type: string
  readonly name: string
  /** where its settings stand */
  readonly key: string
}

/** Listeners as objects by type and name, or as a list with type and name in them, as the API gives them. */
function listenersBelow(settings: Settings, key: string): Found[] {
  return settings.names(key).flatMap((first) => {
    if (/^\d+$/.test(first)) {
      const type = settings.take(`${key}.${first}.type`)?.value ?? 'udp'
      const name = settings.take(`${key}.${first}.name`)?.value ?? first
      settings.take(`${key}.${first}.id`)
      return [{ type, name, key: `${key}.${first}` }]
    }
    return settings
      .names(`${key}.${first}`)
      .map((name) => ({ type: first, name, key: `${key}.${first}.${name}` }))
  })
}

/** Writes the listeners of the MQTT-SN gateway. `port` is that of the plugin of version 4, which has one listener. */
export function importEmqxListeners(
  settings: Settings,
  key: string,
  draft: Draft,
  broadcast: Setting | undefined,
  port?: Setting,
): void {
  let sensors = 0
  if (port) addListener(draft, 'default', port)
  for (const listener of listenersBelow(settings, key)) {
    const enabled = settings.take(`${listener.key}.enable`) ?? settings.take(`${listener.key}.enabled`)
    const bind = settings.take(`${listener.key}.bind`)
    const most = settings.take(`${listener.key}.max_connections`)
    if (enabled && enabled.value !== 'true') {
      for (const setting of [enabled, ...settings.takeBelow(listener.key)])
        draft.note(setting, 'left out: this listener is switched off')
      continue
    }
    sensors += Number(most?.value) || 0
    const ours =
      listener.type === 'dtls'
        ? addDtls(settings, listener, bind, draft)
        : addListener(draft, listener.name, bind)
    if (most && Number(most.value)) draft.set(['limits', 'sensors'], sensors, most)
    else if (most) draft.note(most, 'no counterpart: limits.sensors is always a number, 10000 by itself')
    if (ours) importRules(settings, listener.key, ours, draft)
    noteRest(settings, listener.key, draft)
  }
  addBroadcast(draft, broadcast)
  importEmqxIdentities(draft)
}

function addListener(draft: Draft, name: string, bind: Setting | undefined): Tree | undefined {
  const address = bind && addressOf(bind.value)
  if (bind === undefined || address === undefined) {
    draft.note(bind ?? `listener ${name}`, 'has no address to listen on; left out')
    return undefined
  }
  const listener = draft.add('listeners', { name, url: urlOf(address) })
  draft.comment(listener, `${bind.key} (${bind.place})`)
  return listener
}

function addDtls(settings: Settings, { key, name }: Found, bind: Setting | undefined, draft: Draft): Tree {
  const address = (bind && addressOf(bind.value)) ?? { host: '127.0.0.1', port: '1884' }
  const version = isIP(address.host) === 6 ? 6 : 4
  const url = urlOf(address).replace(/^udp:/, 'dtls:')
  return importEmqxDtls(settings, key, { name, url, version, port: address.port }, bind, draft)
}

/** `allow 10.0.0.0/8`, `deny all`: the first that fits decides in EMQX; here `deny` wins over `allow`. */
function importRules(settings: Settings, key: string, listener: Tree, draft: Draft): void {
  const rules = settings.takeBelow(`${key}.access_rules`)
  const allow: string[] = []
  const deny: string[] = []
  let closed = false
  for (const rule of rules) {
    const [action = '', network = ''] = rule.value.trim().split(/\s+/)
    if (closed || !/^(allow|deny)$/.test(action))
      draft.note(rule, closed ? 'not used: an earlier rule holds for all' : 'is no rule; left out')
    else if (network === 'all') {
      closed = true
      if (action === 'allow' && allow.length > 0) allow.length = 0
      // without a network to allow, nobody may send: the listener would have no use
      if (action === 'deny' && allow.length === 0) deny.push('0.0.0.0/0', '::/0')
    } else if (action === 'allow') allow.push(network)
    else {
      deny.push(network)
      if (allow.length > 0)
        draft.note(rule, 'stands behind an "allow", which wins in EMQX; here "deny" wins: check both lists')
    }
  }
  // rules that end without "all" let everyone else in
  if (allow.length > 0 && !closed) {
    draft.note(
      rules[0] ?? key,
      'without "deny all" at its end this list lets everyone in: listeners[].allow stays empty',
    )
    allow.length = 0
  }
  if (allow.length > 0) listener.allow = allow
  if (deny.length > 0) listener.deny = deny
  if (rules[0]) draft.comment(listener, `allow, deny: ${key}.access_rules (${rules[0].place})`)
}

function noteRest(settings: Settings, key: string, draft: Draft): void {
  const buffer = settings.take(`${key}.udp_options.recbuf`)
  const listeners = draft.entries('listeners')
  if (buffer) {
    const size = /^(\d+)\s*([kmg]?)i?b?$/i.exec(buffer.value)
    const unit = { k: 'KiB', m: 'MiB', g: 'GiB' }[size?.[2]?.toLowerCase() ?? ''] ?? 'B'
    if (size) draft.set(['listeners', listeners.length - 1, 'receiveBuffer'], `${size[1]}${unit}`, buffer)
    else draft.note(buffer, 'is no size; left out')
  }
  for (const [name, why] of Object.entries(WITHOUT)) {
    const found = settings.takeBelow(`${key}.${name}`)
    if (found.length === 0) continue
    const keys = found.map(({ key: one }) => one.slice(key.length + 1)).join(', ')
    draft.note({ place: found[0]?.place ?? '', key: `${key}: ${keys}` }, why)
  }
}

/** EMQX sends ADVERTISE to the broadcast address of every interface, port 1884, every 15 minutes. */
function addBroadcast(draft: Draft, broadcast: Setting | undefined): void {
  if (broadcast === undefined || broadcast.value === 'false') return
  const listener = draft
    .entries('listeners')
    .find(({ url }) => String(url).startsWith('udp://') && !String(url).includes('['))
  if (listener === undefined) {
    draft.note(broadcast, 'left out: broadcast needs a listener for IPv4')
    return
  }
  const seconds = /^\d+$/.test(broadcast.value) ? broadcast.value : '900'
  const discovery = { group: '255.255.255.255', port: 1884, advertise: `${seconds}s` }
  listener.discovery = discovery
  draft.comment(discovery, `${broadcast.key} (${broadcast.place}); EMQX takes port 1884 always`)
}

/** The way to the broker: EMQX stays the broker, and one of its MQTT listeners is where the gateway connects. */
export function importEmqxBroker(settings: Settings, draft: Draft): void {
  const schemes = { tcp: 'mqtt', ssl: 'mqtts', ws: 'ws', wss: 'wss' } as const
  for (const [type, scheme] of Object.entries(schemes)) {
    for (const name of settings.names(`listeners.${type}`)) {
      const key = `listeners.${type}.${name}`
      const bind = settings.left(`${key}.bind`)[0]
      const address = bind && addressOf(bind.value)
      const enabled = settings.left(`${key}.enable`)[0] ?? settings.left(`${key}.enabled`)[0]
      if (!address || enabled?.value === 'false') continue
      settings.take(`${key}.bind`)
      const local = /^[0.:]+$/.test(address.host) ? '127.0.0.1' : address.host
      const host = isIP(local) === 6 ? `[${local}]` : local
      draft.set(
        ['broker', 'url'],
        `${scheme}://${host}:${address.port}${scheme.startsWith('ws') ? '/mqtt' : ''}`,
        bind,
      )
      return
    }
  }
  draft.set(['broker', 'url'], 'mqtt://127.0.0.1:1883')
  draft.note(
    'broker.url',
    'EMQX stays the broker; no MQTT listener of it is here, so that the usual port on this machine is taken',
  )
}
