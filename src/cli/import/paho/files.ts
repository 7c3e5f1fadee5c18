// Reads the three files of Eclipse Paho's gateway: gateway.conf, the list of clients, the list of predefined topics.

import type { Secret } from '../draft.ts'
import type { Setting, SourceFile } from '../settings.ts'

/** What the gateway was built for; its configuration file holds the settings of all. */
export type PahoNetwork = 'udp' | 'udp6' | 'dtls' | 'dtls6' | 'xbee' | 'loralink' | 'rfcomm'

/** The settings of the whole program; a switch that is on keeps its place for messages. */
export interface PahoSwitches {
  readonly authentication: Setting | undefined
  readonly forwarder: Setting | undefined
  readonly qosMinusOne: Setting | undefined
  readonly predefined: Setting | undefined
}

/** User name and password, which Paho uses for each sensor and for itself. */
export interface PahoLogin {
  readonly username: Setting | undefined
  readonly password: Secret | undefined
  readonly passwordFrom: Setting | undefined
}

/** One line of the list of clients. */
export interface PahoClient {
  readonly id: string
  /** as written: `192.168.1.7:12001`, `[fd00::7]:12001`, or an address of another kind of network */
  readonly address: string
  /** IP address, where it is one */
  readonly ip: string | undefined
  readonly flags: readonly string[]
  readonly place: string
}

/** One predefined topic. */
export interface PahoTopic {
  readonly id: string
  readonly topic: string
  readonly topicId: string
  readonly place: string
}

/** A line that has not the form that the file asks for. */
export interface Unreadable {
  readonly place: string
  readonly text: string
}

export interface PahoFiles {
  readonly settings: Setting[]
  readonly clients: PahoClient[]
  readonly topics: PahoTopic[]
  readonly unreadable: Unreadable[]
}

const KEY =
  /^(?:Gateway|Broker|Multicast|Max|KeepAlive|LoginID|Password|Root|Cert|Private|Aggregating|QoS-1|Forwarder|Predefined|Client(?:Auth|sList)|Dtls|Baud|Serial|Api|Device|RFCOMM|Sheared|MQTTVersion)[\w-]*[ \t]*=/

/** The lines that count, with their numbers. The gateway takes `#` for a comment at the start of a line only. */
function* linesOf({ name, text }: SourceFile): Generator<{ line: string; place: string }> {
  for (const [i, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries())
    if (line.trim() !== '' && !line.startsWith('#')) yield { line, place: `${name}:${i + 1}` }
}

/** Which of the three files this is, by what stands in it: their names are free. */
function kindOf(file: SourceFile): 'gateway' | 'clients' | 'topics' {
  const lines = [...linesOf(file)].map(({ line }) => line)
  if (lines.some((line) => KEY.test(line))) return 'gateway'
  const isTopic = (line: string) => /^[^,]+,[^,]+,\s*\d+\s*$/.test(line)
  const topics = lines.filter(isTopic).length
  return topics > 0 && topics >= lines.length - topics ? 'topics' : 'clients'
}

/** The IP address in `address:port`, undefined if it is not one of UDP. */
function ipOf(address: string): string | undefined {
  const [, v6, v4] = /^(?:\[([0-9a-fA-F:.]+)\]|(\d+\.\d+\.\d+\.\d+)):\d+$/.exec(address) ?? []
  return v6 ?? v4
}

/** Reads what was given; which file is which shows in the lines. */
export function readPahoFiles(files: readonly SourceFile[]): PahoFiles {
  const found: PahoFiles = { settings: [], clients: [], topics: [], unreadable: [] }
  for (const file of files) {
    const kind = kindOf(file)
    for (const { line, place } of linesOf(file)) {
      if (kind === 'gateway') readSetting(line, place, found)
      else if (kind === 'topics') readTopic(line, place, found)
      else readClient(line, place, found)
    }
  }
  return found
}

function readSetting(line: string, place: string, { settings, unreadable }: PahoFiles): void {
  const at = line.indexOf('=')
  const key = line.slice(0, at)
  if (at < 1) unreadable.push({ place, text: 'has no "="' })
  // the gateway compares the name to the octet: with a space before "=" it finds nothing
  else if (key !== key.trimEnd())
    unreadable.push({
      place,
      text: `${key.trim()}: has a space before "=", with which Paho does not find it`,
    })
  else settings.push({ key, value: line.slice(at + 1).trim(), place })
}

/** The gateway takes all spaces out of these lines, the wide ones of Japanese text as well. */
const fieldsOf = (line: string) => line.replace(/[ \t\u3000]/g, '').split(',')

function readTopic(line: string, place: string, { topics, unreadable }: PahoFiles): void {
  const [id = '', topic = '', topicId = '', ...more] = fieldsOf(line)
  if (id === '' || topic === '' || !/^\d+$/.test(topicId) || more.length > 0)
    unreadable.push({ place, text: 'is not "ClientId, topic, number"' })
  else topics.push({ id, topic, topicId, place })
}

function readClient(line: string, place: string, { clients, unreadable }: PahoFiles): void {
  const [id = '', address = '', ...flags] = fieldsOf(line)
  if (id === '' || address === '') unreadable.push({ place, text: 'is not "ClientId, address, flags"' })
  else clients.push({ id, address, ip: ipOf(address), flags: flags.filter((flag) => flag !== ''), place })
}
