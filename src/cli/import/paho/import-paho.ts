// From Eclipse Paho's gateway: gateway.conf, clients.conf, predefinedTopic.conf.

import { basename, dirname, resolve } from 'node:path'
import { escapeTemplate } from '../../../config/sections/template.ts'
import { type Draft, isFile, noteLeftovers, Secret } from '../draft.ts'
import { type Setting, Settings, type SourceFile } from '../settings.ts'
import { importPahoClients, importPahoTopics } from './clients.ts'
import {
  type PahoFiles,
  type PahoLogin,
  type PahoNetwork,
  type PahoSwitches,
  readPahoFiles,
} from './files.ts'
import { importPahoNetwork } from './network.ts'

const PROGRAM = "Paho's gateway"

/** Settings with which this gateway has nothing to do, and what to use instead. */
const WITHOUT: Readonly<Record<string, string>> = {
  ShearedMemory:
    'no counterpart: the log goes to standard output; mqttsn trace and the console show messages live',
  MaxInflightMsgs:
    'no counterpart: Paho makes the length of its internal queue of it; limits.waitingDatagrams bounds ours',
}

/** Takes a switch; it is on if it says YES, in capitals or not, as in Paho. */
function takeSwitch(settings: Settings, key: string, draft: Draft): Setting | undefined {
  const setting = settings.take(key, 'first')
  if (setting === undefined) return undefined
  const value = setting.value.toUpperCase()
  if (value !== 'YES' && value !== 'NO')
    draft.note(setting, `is neither YES nor NO; ${PROGRAM} takes that for NO`)
  return value === 'YES' ? setting : undefined
}

/** Files that gateway.conf names, if they are there: at the path itself, or beside gateway.conf. */
function namedFile(setting: Setting, folder: string): string | undefined {
  const name = setting.value
  return [resolve(folder, name), resolve(folder, basename(name))].find(isFile)
}

/** What the importer needs to know beyond the files. */
export interface PahoOptions {
  readonly network?: PahoNetwork | undefined
  /** reads a file that another one names */
  read(path: string): SourceFile
}

/** Reads the files into the draft. */
export function importPaho(files: readonly SourceFile[], draft: Draft, options: PahoOptions): void {
  const found = readPahoFiles(files)
  const settings = new Settings(found.settings)
  const folder = dirname(resolve(files[0]?.name ?? '.'))

  const switches: PahoSwitches = {
    authentication: takeSwitch(settings, 'ClientAuthentication', draft),
    forwarder: takeSwitch(settings, 'Forwarder', draft),
    qosMinusOne: takeSwitch(settings, 'QoS-1', draft),
    predefined: takeSwitch(settings, 'PredefinedTopic', draft),
  }
  const aggregating = takeSwitch(settings, 'AggregatingGateway', draft)
  if (aggregating)
    draft.note(aggregating, 'no counterpart: here every sensor has an MQTT connection of its own')
  const needsClients = switches.authentication ?? switches.forwarder ?? switches.qosMinusOne
  readNamed('ClientsList', needsClients, found.clients.length > 0)
  readNamed('PredefinedTopicList', switches.predefined, found.topics.length > 0)

  function readNamed(key: string, needed: Setting | undefined, given: boolean): void {
    const setting = settings.take(key, 'first')
    if (given) return
    const path = setting && namedFile(setting, folder)
    if (path !== undefined && needed) add(found, readPahoFiles([options.read(path)]))
    else if (needed)
      draft.note(setting ?? needed, `${setting?.value ?? key} is not here: name it as a further FILE`)
    else if (setting) draft.note(setting, `not read: no switch of ${PROGRAM} that uses it says YES`)
  }

  const id = settings.take('GatewayID', 'first')
  draft.setWhole(['gateway', 'id'], id)
  draft.setWhole(['limits', 'sensors'], settings.take('MaxNumberOfClients', 'first'))
  const name = settings.take('GatewayName', 'first')
  if (name) draft.set(['broker', 'clientId'], escapeTemplate(name.value), name)
  draft.set(['qosMinusOne', 'enabled'], switches.qosMinusOne !== undefined, switches.qosMinusOne)

  const isSecure = importPahoClients(found.clients, switches, draft, takeLogin(settings, draft))
  importPahoTopics(found, switches, draft)
  importBroker(settings, isSecure, folder, draft)
  importPahoNetwork(settings, found.clients, switches, draft, options.network)

  for (const { place, text } of found.unreadable) draft.note(place, text)
  for (const [key, why] of Object.entries(WITHOUT)) {
    for (const setting of settings.takeAll(key)) draft.note(setting, why)
  }
  noteLeftovers(draft, settings.left(), PROGRAM)
}

function add(found: PahoFiles, more: PahoFiles): void {
  found.clients.push(...more.clients)
  found.topics.push(...more.topics)
  found.unreadable.push(...more.unreadable)
}

function takeLogin(settings: Settings, draft: Draft): PahoLogin {
  const username = settings.take('LoginID', 'first')
  const passwordFrom = settings.take('Password', 'first')
  const password = passwordFrom && new Secret('mqtt-password', passwordFrom.value)
  if (username) draft.setText(['broker', 'username'], username)
  if (password) draft.set(['broker', 'password'], password, passwordFrom)
  return { username, password, passwordFrom }
}

const DEFAULT_PORTS = { plain: '1883', tls: '8883' }

function importBroker(settings: Settings, isSecure: boolean, folder: string, draft: Draft): void {
  const host = settings.take('BrokerName', 'first')
  const plain = settings.take('BrokerPortNo', 'first')
  const tls = settings.take('BrokerSecurePortNo', 'first')
  if (host === undefined)
    draft.note('BrokerName', 'is missing: broker.url is that of a broker on this machine')
  const name = host?.value ?? '127.0.0.1'
  const port = (isSecure ? tls : plain)?.value ?? (isSecure ? DEFAULT_PORTS.tls : DEFAULT_PORTS.plain)
  const url = `${isSecure ? 'mqtts' : 'mqtt'}://${name.includes(':') ? `[${name}]` : name}:${port}`
  draft.set(['broker', 'url'], url, host, isSecure ? tls : plain)
  const unused = isSecure ? plain : tls
  if (unused) {
    const why = isSecure ? 'all use TLS here' : 'no client in use has secureConnection: TLS is not used'
    draft.note(unused, `not used: ${why}; one broker.url holds for all sensors`)
  }
  importPahoVersion(settings.take('MQTTVersion', 'first'), draft)

  const certificates = [
    ['RootCAfile', 'ca'],
    ['CertKey', 'cert'],
    ['PrivateKey', 'key'],
  ] as const
  for (const [key, ours] of certificates) {
    const setting = settings.take(key, 'first')
    if (setting && isSecure) draft.setFile(['broker', 'tls', ours], resolve(folder, setting.value), setting)
    else if (setting) draft.note(setting, `not used without TLS to the broker; with it, broker.tls.${ours}`)
  }
  const path = settings.take('RootCApath', 'first')
  if (path)
    draft.note(
      path,
      'no counterpart: broker.tls.ca is one file; without it the certificates of the system hold',
    )
}

function importPahoVersion(version: Setting | undefined, draft: Draft): void {
  if (version === undefined) return
  if (version.value === '4') draft.set(['broker', 'version'], '3.1.1', version)
  else if (version.value === '5') draft.set(['broker', 'version'], '5', version)
  else
    draft.note(
      version,
      `MQTT version ${version.value} has no counterpart: broker.version is 3.1.1, 5 or auto`,
    )
}
