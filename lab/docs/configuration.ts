// Writes docs/configuration.md and the JSON Schemas in docs/ from the schemas in src/config: `npx tsx lab/docs/configuration.ts`.
// With --check it writes nothing and exits with 1 if a file differs from what it would write.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the references are what the text is about

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { forwardSchema } from '../../src/config/forward/schema.ts'
import { alternatives, configModel, modelOf, type Node } from '../../src/config/model.ts'
import { COMMENT } from '../../src/config/reading/comments.ts'
import {
  FORWARD_VARIABLES,
  GATEWAY_VARIABLES,
  type Variables,
  variableName,
} from '../../src/config/reading/environment.ts'
import { type Path, pathText } from '../../src/config/reading/path.ts'

const COMMENTS = { type: ['string', 'array'] }

/** The schema as editors read it: without the keyword that only the gateway understands, and with comments in every object. */
function editorSchema(model: Node): string {
  const keyword = (key: string, value: unknown) => {
    if (key === 'x-mqttsn') return undefined
    const isProperties = key === 'properties' && typeof value === 'object'
    return isProperties ? { ...value, [COMMENT]: COMMENTS } : value
  }
  return `${JSON.stringify(model, keyword, 2)}\n`
}

const code = (value: unknown) => `\`${JSON.stringify(value)}\``
const cell = (text: string) => text.replaceAll('|', '\\|')

/** What may be written at a node, in a few words. */
function typeText(node: Node): string {
  const kind = node['x-mqttsn']?.kind
  if (kind !== undefined) return kind
  if (node.enum) return node.enum.map(code).join(', ')
  if (node.anyOf) return [...new Set(node.anyOf.map(typeText))].join(', ')
  if (node.const !== undefined) return code(node.const)
  if (node.type === 'array') return `list of ${plural(typeText(node.items ?? {}))}`
  if (node.type === 'integer') return `${node.minimum} to ${node.maximum}`
  return (
    { string: 'text', boolean: 'true or false', object: 'object' }[String(node.type)] ?? String(node.type)
  )
}

const plural = (word: string) => (word === 'text' ? 'texts' : `${word}s`)

interface Row {
  readonly path: Path
  readonly node: Node
}

/** All keys below a node that hold values; sections and lists of objects are entered. */
function rows(node: Node, path: Path): Row[] {
  return alternatives(node).flatMap((one) => {
    if (one.items?.properties) return rows(one.items, [...path, 0])
    return Object.entries(one.properties ?? {}).flatMap(([key, inner]) => {
      const row = { path: [...path, key], node: inner }
      return inner.properties ? [row, ...rows(inner, row.path)] : [row]
    })
  })
}

const isEmpty = (value: unknown) =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0

function rowText({ path, node }: Row, name: string, variables: Variables): string {
  const shown =
    node.default === undefined || (node.properties && isEmpty(node.default)) ? '' : code(node.default)
  const examples = (node.examples ?? []).map(code).join(', ')
  const meaning = [node.description ?? '', examples && `Example: ${examples}.`].filter(Boolean).join(' ')
  return `| \`${name}\` | ${cell(typeText(node))} | ${shown} | ${cell(meaning)} | \`${variableName(path, variables)}\` |`
}

function table(section: string, node: Node, variables = GATEWAY_VARIABLES): string {
  const depth = alternatives(node).some((one) => one.items?.properties) ? 2 : 1
  const lines = rows(node, [section]).map((row) => rowText(row, pathText(row.path.slice(depth)), variables))
  const head = '| Key | Value | Default | Meaning | Environment variable |\n|---|---|---|---|---|'
  return lines.length === 0 ? '' : [head, ...lines].join('\n')
}

const INTRODUCTION = `# Configuration

<!-- Written by lab/docs/configuration.ts from the schema in src/config. Do not edit. -->

The gateway reads one file, named with \`-c\`: YAML if its name ends in \`.yaml\` or \`.yml\`, else JSON, in which comments (\`//\`, \`/* */\`)
and commas before a closing bracket are allowed. Every key has a default: \`{}\` is a complete configuration. \`mqttsn init\` writes one
with comments. In YAML, patterns and topic filters that begin with \`*\` or \`#\` stand in quotes; anchors and aliases may be used, tags and a second
document may not. Examples here are JSON.
Numbers in brackets, as in [6.14], are clauses of the MQTT-SN 1.2 specification.

\`\`\`sh
mqttsn check -c gateway.config.json
\`\`\`

shows what would be in effect, with secrets hidden, or everything that is wrong, each problem with its path and line.
A misspelt key is an error, and the nearest known one is suggested.

For completion and checks in an editor, let the file begin with
\`"$schema": "./docs/gateway.config.schema.json"\`.

JSON has no comments; any object may hold a key \`"$comment"\` instead, with a text or a list of texts, which the gateway ignores.

## Which value counts

From weak to strong: the default, the file, an environment variable, a command line flag. Flags and
environment variables replace single values and whole lists; the other keys of an object stay as they are.

A running gateway loads all of this again at SIGHUP: see [Reload](operation.md#reload).

## Environment variables

\`MQTTSN_\`, then the path in upper case, with two underscores between levels and one between words. Entries of a
list are counted from 0; one more than there are adds an entry.

\`\`\`sh
MQTTSN_BROKER__URL=mqtts://broker.example:8883
MQTTSN_LISTENERS__0__URL=udp://0.0.0.0:1884
MQTTSN_LIMITS__QUEUED_MESSAGES=500
MQTTSN_QOS_MINUS_ONE__TOPICS='["button/#"]'
MQTTSN_PREDEFINED='{"1": "home/button"}'
\`\`\`

Where something other than text is expected, the value is read as JSON. A variable that begins with \`MQTTSN_\` and
names no key is an error, except those that orchestrators set for a service of that name (such as
\`MQTTSN_SERVICE_HOST\`).

## Kinds of values

| Value | Meaning |
|---|---|
| duration | Text with a unit: \`"500ms"\`, \`"10s"\`, \`"20m"\`, \`"2h"\`, \`"7d"\`. A bare number, \`10\` or \`"10"\`, is seconds. |
| size | Text with a unit: \`"64KiB"\`, \`"4MiB"\`, \`"1GiB"\`. A bare number is octets. |
| network | \`"192.168.1.0/24"\`, \`"fd00::/8"\`, or one address. An IPv4 address that arrives in an IPv6 socket counts as IPv4. |
| pattern | A ClientId; \`*\` stands for any characters, \`?\` for one. \`"*"\` fits all. |
| PEM | Certificates or a key as text. Usually \`"\${file:name.pem}"\`. |
| template | Text that may hold \`\${clientId}\` (where a sensor is concerned) and \`\${gatewayId}\`. \`$\${\` is a plain \`\${\`. |

## Secrets

Any text may hold \`\${env:NAME}\`, the content of an environment variable, and \`\${file:path}\`, the content of a file
(relative to the configuration file, UTF-8, at most 1 MiB, one line break at its end is cut off). The content is taken
as it is: nothing in it is replaced again.

\`\`\`json
{
  "broker": {
    "url": "mqtts://broker.example:8883",
    "username": "gateway",
    "password": "\${file:/run/secrets/mqtt-password}",
    "tls": { "ca": "\${file:ca.pem}" }
  },
  "sensors": [{ "match": "meter-*", "username": "\${clientId}", "password": "\${env:METER_PASSWORD}" }]
}
\`\`\`

Passwords, keys and certificates appear neither in error messages nor in the log. \`mqttsn check\` shows \`"***"\` for
them and for everything that comes from such a reference, and error messages show the reference instead of its content.
`

const EXAMPLES: Readonly<Record<string, unknown>> = {
  listeners: [
    { url: 'udp://127.0.0.1:1884' },
    {
      name: 'field',
      url: 'udp://0.0.0.0:1885',
      allow: ['10.20.0.0/16'],
      discovery: { group: '225.1.1.1', advertise: '20m' },
    },
  ],
  broker: 'mqtt://127.0.0.1:1883',
  sensors: [
    { match: 'riot-*', reRegister: 'never' },
    { match: 'test-*', deny: true },
    { match: 'meter-*', ack: 'store', spool: { messages: 5000, age: '2d' } },
    { match: '*', from: ['10.20.0.0/16'] },
  ],
  predefined: [
    { match: '*', topics: { '1': 'home/button' } },
    { match: 'meter-*', topics: { '10': 'meters/${clientId}/power' } },
  ],
  queues: [
    { match: 'valve-*', topics: ['valve/+/setpoint'], overflow: 'latest-per-topic' },
    { topics: ['news/#'], messages: 5, age: '1h', qos0: false },
  ],
  store: { path: '/var/lib/mqttsn' },
  qosMinusOne: { topics: ['button/#'], retain: false },
}

function reference(): string {
  const sections = Object.entries(configModel().properties ?? {}).filter(([name]) => name !== '$schema')
  const texts = sections.map(([name, node]) => {
    const example = EXAMPLES[name]
    const shown =
      example === undefined ? '' : `\`\`\`json\n${JSON.stringify({ [name]: example }, null, 2)}\n\`\`\``
    return [`## \`${name}\``, node.description ?? '', table(name, node), shown].filter(Boolean).join('\n\n')
  })
  return `${[INTRODUCTION.trimEnd(), ...texts, forwarderReference()].join('\n\n')}\n`
}

/** The document of `mqttsn forward`: what is no section of its own stands in one table. */
function forwarderReference(): string {
  const { properties = {} } = modelOf(forwardSchema)
  const sections = Object.entries(properties).filter(([name]) => name !== '$schema')
  const head = '| Key | Value | Default | Meaning | Environment variable |\n|---|---|---|---|---|'
  const lines = sections.flatMap(([name, node]) => {
    const isList = alternatives(node).some((one) => one.items !== undefined)
    const own = rowText({ path: [name], node }, name, FORWARD_VARIABLES)
    const inner = isList
      ? alternatives(node).flatMap((one) => alternatives(one.items ?? {}))
      : alternatives(node)
    const found = inner.flatMap((one) =>
      rows({ properties: one.properties ?? {} }, isList ? [name, 0] : [name]),
    )
    return [
      own,
      ...found.map((row) => rowText(row, pathText(row.path).replace('[0]', '[]'), FORWARD_VARIABLES)),
    ]
  })
  return [
    '## The forwarder',
    '`mqttsn forward` has a document of its own, read in the same way: see [forwarders](forward.md).',
    [head, ...lines].join('\n'),
  ].join('\n\n')
}

/** The generated files: path within the project, and content. */
export const generatedFiles = (): Readonly<Record<string, string>> => ({
  'docs/configuration.md': reference(),
  'docs/gateway.config.schema.json': editorSchema(configModel()),
  'docs/forward.config.schema.json': editorSchema(modelOf(forwardSchema)),
})

/** The examples, for the proof that they are valid. */
export const documentedExamples = EXAMPLES

function main(root: string, checkOnly: boolean): void {
  for (const [name, content] of Object.entries(generatedFiles())) {
    const file = resolve(root, name)
    if (!checkOnly) {
      mkdirSync(resolve(file, '..'), { recursive: true })
      writeFileSync(file, content)
    } else if (readFileSync(file, 'utf8') !== content) {
      console.error(`${name} is out of date: run npx tsx lab/docs/configuration.ts`)
      process.exitCode = 1
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main(process.cwd(), process.argv.includes('--check'))
}
