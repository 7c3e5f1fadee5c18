// Writes docs/brokers.md from the table of what was tried with each broker: `npx tsx lab/docs/brokers.ts`.
// With --check it writes nothing and exits with 1 if the file differs from what it would write.

import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  type Ability,
  abilities,
  type BrokerFacts,
  type BrokerName,
  brokerFacts,
} from '../../test/support/broker-abilities.ts'

const INTRODUCTION = `# Brokers

<!-- Written by lab/docs/brokers.ts from test/support/broker-abilities.ts. Do not edit. -->

The gateway works with every broker of MQTT 3.1.1 or 5 that takes connections and messages of QoS 0 and 1. What else a
broker has differs. Every cell of the table was tried with a plain MQTT client, in the versions named there; where a
broker is installed, the tests try it again and fail if it has changed. "Strict" is a broker of the tests that hangs up
where AWS IoT Core does so by its documentation; no cloud broker itself was tried.
`

/** What the gateway does where an ability is missing, and what to set. Abilities without a line concern only those who listen. */
const CONSEQUENCES: Readonly<Partial<Record<Ability, string>>> = {
  'MQTT 5':
    'The gateway falls back to MQTT 3.1.1 (`broker.version`). Then the broker says nothing of its limits: set `broker.maximumQos` and `broker.retain` if it lacks something. It cannot be asked to keep sessions and withhold wills while the gateway restarts (`broker.absence`), nor not to send what is too long (`broker.maximumIncomingPacket`): that is skipped, acknowledged and counted as `too-long`.',
  'QoS 2 towards the broker':
    'Messages and wills of QoS 2 are sent with QoS 1, and the gateway completes the QoS 2 handshake with the sensor: they arrive at least once instead of exactly once. `broker.unsupported: "refuse"` refuses them with 0x03 instead. A broker of MQTT 5 says so itself, and one that answers PUBACK to QoS 2 shows it with the first message. With one that hangs up or stays silent, set `broker.maximumQos` to 1: silence may also be a slow broker, so that it cannot be known.',
  'QoS 2 from the broker': 'SUBACK tells the sensor the QoS that the broker granted.',
  'retained messages':
    'With `broker.retain: false`, or where a broker of MQTT 5 says so, messages and wills are sent without retain (`broker.unsupported: "refuse"`: refused with 0x03).',
  'retained messages for wildcards': 'A sensor that needs the last value subscribes to the topic by name.',
  wildcards:
    '`broker.wildcards: false`, or MQTT 5, makes the gateway answer such subscriptions with 0x03 at once.',
  'wildcards without $ topics':
    'Do not let sensors subscribe to `#` or `+/...`: they get what the broker says to itself.',
  'overlapping subscriptions': 'A sensor may get a message once for each of its filters that fits.',
  'shared subscriptions': 'Do not use `$share/` with it.',
  'persistent sessions':
    'Sensors with CleanSession=0 are subscribed again by the gateway; what came meanwhile is lost.',
  'prompt repetition': 'What a sensor did not acknowledge comes again only after the pause of that broker.',
  'will delay':
    'Wills of connected sensors are published as soon as their connections break, by a restart of the gateway as well.',
  'takeover told':
    'A sensor that moved to another gateway is found out only when the broker ends its connection without a word.',
  'dots in topics': 'Use no dots in topic names.',
  'blanks in topics': 'Use no blanks in topic names.',
  'asterisks in topics': 'Use no asterisks in topic names.',
  'quick returns':
    'The gateway tries again (`broker.reconnect`); a sensor may get 0x01 (try later) when it returns at once.',
  'order across QoS levels': 'Use one QoS per topic where the order matters.',
}

/** Settings with which a broker is known to work well. */
const SETTINGS: Readonly<Partial<Record<BrokerName, object>>> = {
  Aedes: { version: '3.1.1' },
  RabbitMQ: { version: '3.1.1', maximumQos: 1 },
  NATS: { version: '3.1.1', maximumQos: 1 },
  Strict: { maximumQos: 1, maximumPacketSize: '128KiB' },
}

const PLAIN: Readonly<Partial<Record<BrokerName, string>>> = {
  Strict: 'Strict (as AWS IoT Core)',
}

const cell = (text: string) => text.replaceAll('|', '\\|')

function table(names: readonly BrokerName[]): string {
  const head = `| | ${names.map((name) => `${PLAIN[name] ?? name}`).join(' | ')} |`
  const versions = `| tried | ${names.map((name) => cell(brokerFacts[name].tried)).join(' | ')} |`
  const rows = (Object.keys(abilities) as Ability[]).map((ability) => {
    const cells = names.map((name) => cell(brokerFacts[name].lacks[ability] ?? 'yes'))
    return `| ${ability} | ${cells.join(' | ')} |`
  })
  return [head, `|---|${names.map(() => '---|').join('')}`, versions, ...rows].join('\n')
}

function consequences(names: readonly BrokerName[]): string {
  const rows = (Object.entries(CONSEQUENCES) as [Ability, string][]).map(([ability, text]) => {
    const lacking = names.filter((name) => brokerFacts[name].lacks[ability] !== undefined)
    return `| ${ability} | ${lacking.length === 0 ? 'none of these' : lacking.join(', ')} | ${cell(text)} |`
  })
  return ['| Ability | Lacking in | What the gateway does, and what helps |', '|---|---|---|', ...rows].join(
    '\n',
  )
}

function settings(names: readonly BrokerName[]): string {
  const lines = names.map((name) => {
    const given = SETTINGS[name]
    return `- ${PLAIN[name] ?? name}: ${given === undefined ? 'nothing beside `url`' : `\`${JSON.stringify(given)}\``}`
  })
  return lines.join('\n')
}

function faults(all: readonly [BrokerName, BrokerFacts][]): string {
  const lines = all.flatMap(([name, { knownFaults }]) =>
    knownFaults.map(({ story, symptom }) => `- ${name}: ${story}: ${symptom}`),
  )
  return lines.length === 0 ? '' : `\n## Known faults\n\n${lines.join('\n')}\n`
}

/** The document. */
export function brokersDocument(): string {
  const all = Object.entries(brokerFacts) as [BrokerName, BrokerFacts][]
  const names = all.map(([name]) => name)
  const tried = Object.entries(abilities).map(
    ([ability, { tried: how, good }]) => `| ${ability} | ${cell(how)} | ${cell(good)} |`,
  )
  return `${INTRODUCTION}
## What each broker has

\`yes\`, or what was seen instead.

${table(names)}

## What follows where something is missing

${consequences(names)}

Some brokers hang up at what they do not take, in place of an answer. The gateway therefore sends no topic with control
characters, with code points that are no characters, or with more than 200 levels: sensors get 0x03 at once.

## Settings

Keys of the section \`broker\`; what a broker of MQTT 5 says of itself needs none. \`mqttsn check --connect\` tries them.

${settings(names)}
${faults(all)}
## How it was tried

| Ability | What was done | Seen where it is there |
|---|---|---|
${tried.join('\n')}
`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const file = resolve('docs/brokers.md')
  if (!process.argv.includes('--check')) writeFileSync(file, brokersDocument())
  else if (readFileSync(file, 'utf8') !== brokersDocument()) {
    console.error('docs/brokers.md is out of date: run npx tsx lab/docs/brokers.ts')
    process.exitCode = 1
  }
}
