// From the MQTT-SN gateway that HiveMQ Edge had: `mqtt-sn-listeners` and `mqtt-sn` of its config.xml.

import { isIP } from 'node:net'
import { escapeTemplate } from '../../../config/sections/template.ts'
import { type Draft, noteLeftovers, type Tree } from '../draft.ts'
import { type Setting, Settings, type SourceFile } from '../settings.ts'
import { readXml } from './read-xml.ts'

const PROGRAM = 'HiveMQ Edge'

/** Switches without counterpart, or that were never read; and what to use instead. */
const WITHOUT: Readonly<Record<string, string>> = {
  'allow-empty-client-identifier': 'no counterpart: a CONNECT without ClientId is refused with 0x03 here',
  'topic-registrations-held-during-sleep':
    'no counterpart: sensors keep their topic ids while they sleep; sensors[].reRegister says when they are told again',
  'allow-waking-ping-session-hijack':
    'no counterpart as it is: listeners[].roaming "any" lets a sensor wake up at another address',
}

/** What is given besides files. */
export interface HivemqEdgeOptions {
  /** the environment, for `${ENV:NAME}` */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Reads files into the draft. */
export function importHivemqEdge(
  files: readonly SourceFile[],
  draft: Draft,
  { env }: HivemqEdgeOptions,
): void {
  const settings = new Settings(files.flatMap(readXml).map((setting) => filled(setting, env, draft)))
  if (settings.left('mqtt-sn-listeners').length + settings.left('mqtt-sn').length === 0)
    draft.note('mqtt-sn', 'neither <mqtt-sn-listeners> nor <mqtt-sn> is here')

  draft.setWhole(['gateway', 'id'], settings.take('mqtt-sn.gateway-id'))
  const longest = settings.take('mqtt-sn.max-client-identifier-length')
  draft.setWhole(['limits', 'clientIdLength'], longest)
  importMinusOne(settings, draft)
  importTopics(settings, draft)
  importListeners(settings, draft)
  importBroker(settings, draft)
  for (const [key, why] of Object.entries(WITHOUT)) {
    for (const setting of settings.takeBelow(`mqtt-sn.${key}`))
      if (setting.value === 'true') draft.note(setting, why)
      else draft.note(setting, `${setting.value || 'nothing'}: nothing to do`)
  }
  noteLeftovers(
    draft,
    [...settings.takeBelow('mqtt-sn'), ...settings.takeBelow('mqtt-sn-listeners')],
    PROGRAM,
  )
  noteOthers(settings, draft)
}

/** `${ENV:NAME}` filled in, as HiveMQ does when it reads the file. Values of secrets never come here: sensors have none. */
function filled(setting: Setting, env: HivemqEdgeOptions['env'], draft: Draft): Setting {
  const value = setting.value.replace(/\$\{ENV:(.*?)\}/g, (whole, name: string) => {
    const found = env[name]
    if (found !== undefined) return found
    if (setting.key.startsWith('mqtt-sn'))
      draft.note(setting, `the environment variable ${name} is not set here`)
    return whole
  })
  return value === setting.value ? setting : { ...setting, value }
}

function importMinusOne(settings: Settings, draft: Draft): void {
  const setting = settings.take('mqtt-sn.allow-anonymous-publish-minus-one.enabled')
  draft.set(['qosMinusOne', 'enabled'], setting?.value === 'true', setting)
}

function importTopics(settings: Settings, draft: Draft): void {
  const key = 'mqtt-sn.predefined-topics.predefined-topic'
  const topics: Record<string, string> = {}
  const from: Setting[] = []
  for (const i of settings.names(key)) {
    const topic = settings.take(`${key}.${i}.topicName`)
    const alias = settings.take(`${key}.${i}.alias`)
    const place = topic ?? alias
    if (topic && alias && /^\d+$/.test(alias.value)) {
      const id = String(Number(alias.value))
      if (topics[id] !== undefined) draft.note(alias, `alias ${id} again: the last one counts`)
      topics[id] = escapeTemplate(topic.value)
      from.push(alias)
    } else if (place) draft.note(place, 'has no topicName, or no whole number as alias; left out')
  }
  settings.take('mqtt-sn.predefined-topics')
  if (from[0])
    draft.comment(
      draft.add('predefined', { match: '*', topics }),
      `from predefined-topics (${from[0].place})`,
    )
}

function importListeners(settings: Settings, draft: Draft): void {
  const key = 'mqtt-sn-listeners.udp-listener'
  for (const i of settings.names(key)) {
    const port = settings.take(`${key}.${i}.port`)
    const bind = settings.take(`${key}.${i}.bind-address`)
    const name = settings.take(`${key}.${i}.name`)
    const outside = settings.take(`${key}.${i}.external-hostname`)
    const host = bind?.value === undefined || bind.value === '' ? '0.0.0.0' : bind.value
    const address = host === 'localhost' ? '127.0.0.1' : host
    if (outside) draft.note(outside, 'no counterpart: it was shown on the page of HiveMQ Edge only')
    if (port === undefined || isIP(address) === 0) {
      draft.note(bind ?? port ?? key, 'the listener has no port or no address; left out')
      continue
    }
    const url = `udp://${isIP(address) === 6 ? `[${address}]` : address}:${port.value}`
    const listener = draft.add('listeners', { ...(name && { name: name.value }), url })
    draft.comment(
      listener,
      `url: ${[port, bind].flatMap((one) => (one ? `${one.key} (${one.place})` : [])).join(', ')}`,
    )
  }
  importDiscovery(settings, draft)
}

/** The interval of HiveMQ Edge where none is set, in seconds. */
const DEFAULT_INTERVAL = '30'

function importDiscovery(settings: Settings, draft: Draft): void {
  const key = 'mqtt-sn.discovery'
  const enabled = settings.take(`${key}.enabled`)
  const interval = settings.take(`${key}.discovery-interval-seconds`)
  const addresses = settings.takeBelow(`${key}.broadcast-addresses`).filter(({ value }) => value !== '')
  const groups = addresses.filter(({ key: one }) => one.endsWith('.bind-address'))
  if (enabled?.value !== 'true') {
    for (const setting of [interval, ...addresses])
      if (setting) draft.note(setting, 'not used: discovery is not enabled')
    return
  }
  const listeners = draft.entries('listeners')
  const free = [...listeners]
  for (const group of groups.length > 0 ? groups : [undefined]) {
    const address = group?.value ?? '255.255.255.255'
    const at = free.findIndex(({ url }) => String(url).includes('[') === (isIP(address) === 6))
    const [listener] = at < 0 ? [] : free.splice(at, 1)
    if (listener === undefined) {
      draft.note(
        group ?? enabled,
        'left out: each listener here has one group, and none is left for this one',
      )
      continue
    }
    const port = addresses.find(({ key: one }) => one === group?.key.replace(/bind-address$/, 'port'))
    const discovery: Tree = { group: address, advertise: `${interval?.value ?? DEFAULT_INTERVAL}s` }
    if (port && /^\d+$/.test(port.value)) discovery.port = Number(port.value)
    listener.discovery = discovery
    const from = [enabled, interval, group, port].flatMap((one) => (one ? `${one.key} (${one.place})` : []))
    draft.comment(discovery, from.join(', '))
    if (group === undefined)
      draft.note(enabled, 'no broadcast address is set: that of the local network is taken')
  }
  for (const setting of addresses.filter(({ key: one }) => one.endsWith('.name')))
    draft.note(setting, 'no counterpart')
}

/** The way to the broker: HiveMQ Edge stays the broker, and one of its MQTT listeners is where the gateway connects. */
function importBroker(settings: Settings, draft: Draft): void {
  for (const [kind, scheme] of [
    ['tcp-listener', 'mqtt'],
    ['tls-tcp-listener', 'mqtts'],
  ] as const) {
    const key = `mqtt-listeners.${kind}.0`
    const port = settings.take(`${key}.port`)
    if (port === undefined) continue
    const bind = settings.take(`${key}.bind-address`)?.value ?? '0.0.0.0'
    const local = /^[0.:]+$/.test(bind) ? '127.0.0.1' : bind
    draft.set(
      ['broker', 'url'],
      `${scheme}://${isIP(local) === 6 ? `[${local}]` : local}:${port.value}`,
      port,
    )
    break
  }
  if (draft.tree.broker === undefined) {
    draft.set(['broker', 'url'], 'mqtt://127.0.0.1:1883')
    draft.note(
      'broker.url',
      'HiveMQ Edge stays the broker; no TCP listener of it is here, so that the usual port on this machine is taken',
    )
  }
  for (const i of settings.names('mqtt-bridges.mqtt-bridge')) {
    const remote = `mqtt-bridges.mqtt-bridge.${i}.remote-broker`
    const host = settings.take(`${remote}.host`)
    const port = settings.take(`${remote}.port`)
    if (host)
      draft.note(
        host,
        `the bridge to ${host.value}:${port?.value ?? '1883'} stays with HiveMQ Edge; without it, let broker.url lead there`,
      )
  }
}

/** Sections of HiveMQ Edge that are not about MQTT-SN: one line each. */
function noteOthers(settings: Settings, draft: Draft): void {
  const first = new Map<string, Setting>()
  for (const setting of settings.left()) {
    const [section = ''] = setting.key.split('.')
    if (!first.has(section)) first.set(section, setting)
  }
  for (const [section, { place }] of first)
    draft.note({ place, key: section }, 'does not concern MQTT-SN; it stays with HiveMQ Edge')
}
