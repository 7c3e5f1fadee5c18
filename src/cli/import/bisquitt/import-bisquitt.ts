// From bisquitt: its flags, its variables, its list of predefined topics.

import { isIP } from 'node:net'
import { basename, dirname, resolve } from 'node:path'
import { escapeTemplate } from '../../../config/sections/template.ts'
import { parseDuration } from '../../../config/sections/units.ts'
import { type Draft, isFile, noteLeftovers, patternOf, Secret, type Tree } from '../draft.ts'
import { addDtlsStandIn } from '../dtls-listener.ts'
import { type Setting, Settings, type SourceFile } from '../settings.ts'
import {
  type BisquittSettings,
  emptySettings,
  readBisquittFile,
  readEnvironment,
  readFlags,
} from './bisquitt-settings.ts'

const PROGRAM = 'bisquitt'

/** What is given besides files. */
export interface BisquittOptions {
  /** flags as given to bisquitt */
  readonly flags: readonly string[]
  /** the environment to take its variables from, if it is to be read */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  read(path: string): SourceFile
}

const WITHOUT: Readonly<Record<string, string>> = {
  syslog: 'no counterpart: the log goes to standard output, from where systemd and containers take it',
  'performance-log-time': 'no counterpart: figures are at /metrics, for Prometheus',
  insecure: 'no counterpart: it allowed auth without DTLS',
  user: 'no counterpart: start the gateway as that user, or with User= of systemd',
  group: 'no counterpart: start the gateway as that group, or with Group= of systemd',
}

const WHY_NOT_DTLS =
  'bisquitt shows its own certificate and asks sensors for none: they say who they are by AUTH, and here by a key (listeners[].dtls.psk) or a certificate of their own (clientCa). Its certificate and key will do for dtls.cert and dtls.key if they are on P-256'

/** Whether a switch is on, as Go reads it. */
const isOn = (setting: Setting | undefined) => setting !== undefined && /^(1|t|true)$/i.test(setting.value)

/** Reads files, flags and environment into the draft. Flags win over variables, as in bisquitt. */
export function importBisquitt(files: readonly SourceFile[], draft: Draft, options: BisquittOptions): void {
  const found = emptySettings()
  if (options.env) readEnvironment(options.env, found)
  for (const file of files) readBisquittFile(file, found)
  readFlags(options.flags, 'flag', found)
  // flags come last, so that they win
  const isVariable = ({ place }: Setting) => / [A-Z_]+$/.test(place)
  const inOrder = [...found.options.filter(isVariable), ...found.options.filter((one) => !isVariable(one))]
  const settings = new Settings(inOrder)

  readNamedTopics(settings, found, files, draft, options)
  importListener(settings, draft)
  importBroker(settings, draft)
  importTopics(settings, found, draft)
  const debug = takeOne(settings, 'debug', draft)
  if (isOn(debug)) draft.set(['log', 'level'], 'debug', debug)

  const auth = takeOne(settings, 'auth', draft)
  if (isOn(auth) && auth)
    draft.note(
      auth,
      'no counterpart: the message AUTH is an extension of bisquitt. Logins of sensors are set here, by ClientId: sensors[].username and password',
    )
  for (const [key, why] of Object.entries(WITHOUT)) {
    const setting = takeOne(settings, key, draft)
    if (setting) draft.note(setting, why)
  }
  for (const { place, text } of found.unreadable) draft.note(place, text)
  noteLeftovers(draft, settings.left(), PROGRAM)
}

/** The setting that counts; that others of its name do not is said. */
function takeOne(settings: Settings, key: string, draft: Draft): Setting | undefined {
  const all = settings.takeAll(key)
  const counts = all.at(-1)
  for (const other of all.slice(0, -1)) draft.note(other, `not used: ${counts?.place} counts`)
  return counts
}

function readNamedTopics(
  settings: Settings,
  found: BisquittSettings,
  files: readonly SourceFile[],
  draft: Draft,
  options: BisquittOptions,
): void {
  const setting = takeOne(settings, 'predefined-topics-file', draft)
  if (setting === undefined || found.topics.length > 0) return
  const folder = dirname(resolve(files[0]?.name ?? '.'))
  const path = [resolve(folder, setting.value), resolve(folder, basename(setting.value))].find(isFile)
  if (path === undefined) draft.note(setting, `${setting.value} is not here: name it as a further FILE`)
  else readBisquittFile(options.read(path), found)
}

function importListener(settings: Settings, draft: Draft): void {
  const host = takeOne(settings, 'host', draft)
  const port = takeOne(settings, 'port', draft)
  const dtls = takeOne(settings, 'dtls', draft)
  const used = ['self-signed', 'cert', 'key'].flatMap((key) => takeOne(settings, key, draft) ?? [])
  const name = host?.value === undefined || host.value === 'localhost' ? '127.0.0.1' : host.value
  const address = isIP(name) === 0 ? '127.0.0.1' : name
  if (isIP(name) === 0 && host)
    draft.note(
      host,
      `${name} is no address: the listener is on loopback; put the address into listeners[0].url`,
    )
  if (isOn(dtls)) {
    const version = isIP(address) === 6 ? 6 : 4
    const listener = addDtlsStandIn(draft, { version, port: port?.value ?? '8883', used, why: WHY_NOT_DTLS })
    if (dtls) draft.comment(listener, `${dtls.key} (${dtls.place})`)
    return
  }
  for (const setting of used) draft.note(setting, 'not used without dtls')
  const url = `udp://${isIP(address) === 6 ? `[${address}]` : address}:${port?.value ?? '1883'}`
  const listener: Tree = draft.add('listeners', { url })
  const from = [host, port, dtls].flatMap((one) => (one ? `${one.key} (${one.place})` : []))
  draft.comment(listener, `url: ${from.length > 0 ? from.join(', ') : 'what bisquitt listens on by itself'}`)
}

function importBroker(settings: Settings, draft: Draft): void {
  const host = takeOne(settings, 'mqtt-host', draft)
  const port = takeOne(settings, 'mqtt-port', draft)
  const name = host?.value ?? '127.0.0.1'
  const url = `mqtt://${isIP(name) === 6 ? `[${name}]` : name}:${port?.value ?? '1883'}`
  draft.set(['broker', 'url'], url, host, port)

  const timeout = takeOne(settings, 'mqtt-timeout', draft)
  if (timeout) {
    const milliseconds = goDuration(timeout.value)
    if (milliseconds === undefined) draft.note(timeout, 'is no time; left out')
    else draft.set(['broker', 'connectTimeout'], `${milliseconds}ms`, timeout)
  }

  const user = takeOne(settings, 'mqtt-user', draft)
  const password = takeOne(settings, 'mqtt-password', draft)
  const file = takeOne(settings, 'mqtt-password-file', draft)
  const rule = draft.add('sensors', { match: '*', asleepConnect: 'resume' })
  draft.comment(rule, 'bisquitt answers the CONNECT of a sensor that is awake without asking the broker')
  const all: readonly (readonly (string | number)[])[] = [['broker'], ['sensors', 0]]
  for (const path of all) {
    if (user) draft.setText([...path, 'username'], user)
    if (file) draft.setFile([...path, 'password'], resolve(file.value), file)
    else if (password) draft.set([...path, 'password'], secretOf(password), password)
  }
  if (file && password) draft.note(password, 'not used: mqtt-password-file counts')
}

/** A variable of the environment stays where it is; what stood in a file or a flag becomes a secret of its own. */
const secretOf = (setting: Setting): Secret | string =>
  setting.place.startsWith('environment ')
    ? `\${env:${setting.place.slice('environment '.length)}}`
    : new Secret('mqtt-password', setting.value)

/** A duration of Go, such as `1m30s`, in milliseconds. */
function goDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return undefined
  const parts = text.match(/\d+(?:\.\d+)?(?:ms|s|m|h)/g) ?? []
  const all = parts.map((part) => parseDuration(part) ?? Number.NaN)
  const sum = Math.round(all.reduce((a, b) => a + b, 0))
  return Number.isNaN(sum) ? undefined : sum
}

/** Predefined topics; those of flags and variables replace those of the file. */
function importTopics(settings: Settings, found: BisquittSettings, draft: Draft): void {
  const all = new Map<string, Record<string, string>>()
  const places = new Map<string, string[]>()
  const put = (id: string, topicId: string, topic: string, place: string) => {
    const names = all.get(id) ?? {}
    names[topicId] = escapeTemplate(topic)
    all.set(id, names)
    places.set(id, [...new Set([...(places.get(id) ?? []), place])])
  }
  for (const { id, topicId, topic, place } of found.topics) put(id, topicId, topic, place)
  const given = settings.takeAll('predefined-topic')
  for (const setting of given) {
    // the parser of flags divides at commas
    for (const one of setting.value.split(',')) {
      const fields = one.split(';')
      const [id = '', topic = '', topicId = ''] = fields.length === 2 ? ['*', ...fields] : fields
      if (fields.length < 2 || fields.length > 3 || !/^\d+$/.test(topicId))
        draft.note(setting, 'is not "clientID;topicName;topicID"; left out')
      else put(id, String(Number(topicId)), topic, setting.place)
    }
  }
  for (const [id, topics] of all) {
    const match = id === '*' ? '*' : patternOf(id, places.get(id)?.[0] ?? '', draft)
    const entry = draft.add('predefined', { match, topics })
    draft.comment(entry, `from ${places.get(id)?.join(', ')}`)
  }
}
