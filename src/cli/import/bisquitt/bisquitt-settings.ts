// Finds the settings of bisquitt wherever they are kept: flags, a file of variables, a unit of systemd, a compose file, a script.

import { parse } from 'yaml'
import { isObject } from '../../../config/reading/path.ts'
import { ImportError, type Setting, type SourceFile } from '../settings.ts'

/** Flag, variable, and what comes behind the flag. */
export const OPTIONS = {
  'mqtt-host': 'MQTT_HOST',
  'mqtt-port': 'MQTT_PORT',
  'mqtt-user': 'MQTT_USER',
  'mqtt-password': 'MQTT_PASSWORD',
  'mqtt-password-file': 'MQTT_PASSWORD_FILE',
  'mqtt-timeout': 'MQTT_TIMEOUT',
  host: 'HOST',
  port: 'PORT',
  dtls: 'DTLS_ENABLED',
  'self-signed': 'SELF_SIGNED',
  cert: 'CERT_FILE',
  key: 'KEY_FILE',
  'predefined-topic': 'PREDEFINED_TOPIC',
  'predefined-topics-file': 'PREDEFINED_TOPICS_FILE',
  syslog: 'SYSLOG',
  debug: 'DEBUG',
  'performance-log-time': 'PERFORMANCE_LOG_TIME',
  insecure: 'INSECURE',
  auth: 'AUTH',
  user: 'BISQUITT_USER',
  group: 'BISQUITT_GROUP',
} as const

/** The options without a value. */
export const SWITCHES: readonly string[] = ['dtls', 'self-signed', 'syslog', 'debug', 'insecure', 'auth']

const FLAG_OF: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(OPTIONS).map(([flag, variable]) => [variable, flag]),
)

/** What was found: options by flag, predefined topics from files, and what was not understood. */
export interface BisquittSettings {
  readonly options: Setting[]
  /** `clientID` to topic id to name, as in the file of predefined topics */
  readonly topics: {
    readonly id: string
    readonly topicId: string
    readonly topic: string
    readonly place: string
  }[]
  readonly unreadable: { readonly place: string; readonly text: string }[]
}

export const emptySettings = (): BisquittSettings => ({ options: [], topics: [], unreadable: [] })

/** Reads words of a command line; everything up to the program's name may stand before them. */
export function readFlags(words: readonly string[], place: string, found: BisquittSettings): void {
  for (let i = 0; i < words.length; i++) {
    const [, key = '', value] = /^--?([a-z][a-z-]*)(?:=(.*))?$/s.exec(words[i] ?? '') ?? []
    if (key === '') {
      found.unreadable.push({ place, text: 'has a word that is no flag of bisquitt' })
      continue
    }
    const isSwitch = SWITCHES.includes(key)
    if (!Object.hasOwn(OPTIONS, key)) found.options.push({ key, value: '', place })
    else if (isSwitch) found.options.push({ key, value: value ?? 'true', place })
    else {
      if (value === undefined) i++
      found.options.push({ key, value: value ?? words[i] ?? '', place })
    }
  }
}

/** One variable; `all` says whether variables that bisquitt does not know are worth a word. */
function readVariable(
  name: string,
  value: string,
  place: string,
  found: BisquittSettings,
  all: boolean,
): void {
  const key = FLAG_OF[name]
  // to the parser of flags an empty variable is none
  if (key !== undefined && value !== '') found.options.push({ key, value, place: `${place} ${name}` })
  else if (key === undefined && all) found.options.push({ key: name, value, place })
}

/** The variables of this process. */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  found: BisquittSettings,
): void {
  for (const name of Object.values(OPTIONS)) {
    const value = env[name]
    if (value !== undefined) readVariable(name, value, 'environment', found, false)
  }
}

const unquoted = (text: string) => text.trim().replace(/^(["'])(.*)\1$/s, '$2')

/** Words as a shell divides them; variables in them stay as they are. */
export function wordsOf(line: string): string[] {
  const words = line.match(/(?:[^\s"']|"(?:[^"\\]|\\.)*"|'[^']*')+/g) ?? []
  return words.map((word) =>
    word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, (_, double, single) => double ?? single),
  )
}

/** Reads a file of any of these kinds; which one shows in its text. */
export function readBisquittFile({ name, text }: SourceFile, found: BisquittSettings): void {
  const isYaml =
    text.trimStart().startsWith('{') ||
    (/^[ \t]*(?:services|"?[^\s:#][^:#=]*"?)\s*:\s*(?:#.*)?$/m.test(text) && !/^\s*[A-Z_]+=/m.test(text))
  if (isYaml) readYaml({ name, text }, found)
  else readLines({ name, text }, found)
}

/** Lines of `NAME=value`, of a unit of systemd, or of a script that calls the program. */
function readLines({ name, text }: SourceFile, found: BisquittSettings): void {
  const lines = text.split(/\r?\n/)
  for (let i = 0; i < lines.length; i++) {
    const place = `${name}:${i + 1}`
    let line = lines[i] ?? ''
    while (line.endsWith('\\') && i + 1 < lines.length) line = `${line.slice(0, -1)} ${lines[++i]?.trim()}`
    line = line.trim()
    if (line === '' || /^[#;[]/.test(line)) continue
    const [, environment] = /^Environment=(.*)$/.exec(line) ?? []
    const [, started = line] = /^Exec\w+=[-@:+!]*(.*)$/.exec(line) ?? []
    const words = wordsOf(started)
    const program = words.findIndex((word) => /(^|[/\s])bisquitt$/.test(word))
    const [, variable, value = ''] = /^(?:export\s+)?([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? []
    if (environment !== undefined)
      for (const word of wordsOf(environment)) {
        const at = word.indexOf('=')
        readVariable(word.slice(0, at), word.slice(at + 1), place, found, true)
      }
    else if (program >= 0) readCommand(words, program, place, found)
    else if (variable !== undefined) readVariable(variable, unquoted(value), place, found, true)
    else if (/^EnvironmentFile=/.test(line))
      found.unreadable.push({ place, text: `${line.slice(16)} is not read: name it as a further FILE` })
    else if (!/^[A-Z]\w+=|^(?:exec|set|cd)\b/.test(line))
      found.unreadable.push({ place, text: 'is no setting of bisquitt' })
  }
}

/** `NAME=value docker run -e NAME=value ... bisquitt --flag value`. */
function readCommand(
  words: readonly string[],
  program: number,
  place: string,
  found: BisquittSettings,
): void {
  for (const word of words.slice(0, program)) {
    const [, variable, value = ''] = /^(?:-e|--env=)?([A-Z][A-Z0-9_]*)=(.*)$/s.exec(word) ?? []
    if (variable !== undefined) readVariable(variable, value, place, found, false)
  }
  readFlags(words.slice(program + 1), place, found)
}

function parseYaml(name: string, text: string): unknown {
  try {
    return parse(text, { schema: 'failsafe', logLevel: 'error' })
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : ''
    throw new ImportError(`${name}: is no YAML: ${why}`)
  }
}

function readYaml({ name, text }: SourceFile, found: BisquittSettings): void {
  const tree = parseYaml(name, text)
  const { services } = isObject(tree) ? tree : {}
  if (isObject(services)) readCompose(services, name, found)
  else if (isObject(tree)) readTopics(tree, name, found)
  else
    found.unreadable.push({ place: name, text: 'is neither a compose file nor a list of predefined topics' })
}

/** The file of `--predefined-topics-file`: ClientIds, and topic names by id below each. */
function readTopics(tree: Record<string, unknown>, name: string, found: BisquittSettings): void {
  for (const [id, topics] of Object.entries(tree)) {
    if (!isObject(topics))
      found.unreadable.push({ place: name, text: `${id}: is no list of topic names by id` })
    else
      for (const [topicId, topic] of Object.entries(topics))
        if (typeof topic === 'string') found.topics.push({ id, topicId, topic, place: name })
        else found.unreadable.push({ place: name, text: `${id} ${topicId}: is no topic name` })
  }
}

const texts = (value: unknown): string[] =>
  (Array.isArray(value) ? value : []).flatMap((one) => (typeof one === 'string' ? one : []))

/** The service of a compose file that runs bisquitt. */
function readCompose(services: Record<string, unknown>, name: string, found: BisquittSettings): void {
  const all = Object.entries(services).filter((entry): entry is [string, Record<string, unknown>] =>
    isObject(entry[1]),
  )
  const ours = all.filter(([service, { image, command }]) =>
    /bisquitt/.test(`${service} ${image} ${command}`),
  )
  if (ours.length === 0) found.unreadable.push({ place: name, text: 'has no service that runs bisquitt' })
  for (const [service, { environment, command, ports, env_file: file, ...others }] of ours) {
    const place = `${name} ${service}`
    const pairs = isObject(environment)
      ? Object.entries(environment).map(([key, value]) => [key, String(value ?? '')] as const)
      : texts(environment).map((one) => [one.split('=')[0] ?? '', one.slice(one.indexOf('=') + 1)] as const)
    for (const [key, value] of pairs) readVariable(key, value, place, found, true)
    const words = typeof command === 'string' ? wordsOf(command) : texts(command)
    const program = words.findIndex((word) => /(^|\/)bisquitt$/.test(word))
    if (words.length > 0) readFlags(words.slice(program + 1), place, found)
    // what the image starts with where no command is given
    else found.options.push({ key: 'host', value: '0.0.0.0', place: `${place} (its image)` })
    for (const port of texts(ports))
      found.unreadable.push({
        place,
        text: `ports ${port}: no counterpart; the listener has the port inside the container`,
      })
    if (file !== undefined)
      found.unreadable.push({ place, text: 'env_file is not read: name it as a further FILE' })
    for (const key of Object.keys(others).filter(
      (one) => !['image', 'build', 'depends_on', 'restart'].includes(one),
    ))
      found.unreadable.push({ place, text: `${key} belongs to the container; it has no counterpart` })
  }
}
