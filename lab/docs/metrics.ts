// Writes docs/metrics.md from the metrics that the gateway registers: `npx tsx lab/docs/metrics.ts`.
// With --check it writes nothing and exits with 1 if the file differs from what it would write.

import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createForwarderMetrics } from '../../src/console/metrics/forwarder-metrics.ts'
import { createMetrics, type MetricsSource } from '../../src/console/metrics/metrics.ts'
import { noSensors } from '../../src/console/states.ts'

/** A gateway in which nothing has happened: names and meanings do not depend on it. */
const nothing: MetricsSource = {
  info: () => ({
    version: '',
    gwId: 0,
    node: '',
    startedAt: 0,
    sensors: noSensors(),
    departed: 0,
    forgotten: 0,
    queuedMessages: 0,
    queuedOctets: 0,
    queuesFull: false,
    spooledMessages: 0,
    spooledOctets: 0,
    deadLetters: 0,
    deadLetterOctets: 0,
    counters: {
      receivedDatagrams: 0,
      receivedOctets: 0,
      sentDatagrams: 0,
      sentOctets: 0,
      published: 0,
      delivered: 0,
      retransmissions: 0,
      faults: 0,
      received: {},
      sent: {},
      dropped: {},
      refusals: {},
      losses: {},
    },
  }),
  broker: () => ({
    url: '',
    healthy: false,
    version: undefined,
    openings: 0,
    connected: 0,
    connecting: 0,
    waiting: 0,
    refused: 0,
    lost: 0,
    portless: 0,
    shared: [],
  }),
  store: () => ({ type: 'memory', error: undefined, groups: 0, seconds: 0, failures: 0, octets: 0, held: 0 }),
  listeners: () => [],
  latency: () => ({ bounds: [], counts: [], sum: 0, count: 0 }),
}

const INTRODUCTION = `# Metrics

<!-- Written by lab/docs/metrics.ts from src/console/metrics/metrics.ts. Do not edit. -->

The gateway answers \`GET /metrics\` in the text format of Prometheus, on the address of the console:

\`\`\`yaml
scrape_configs:
  - job_name: mqttsn
    static_configs: [{ targets: ['127.0.0.1:8885'] }]
    # with a token:
    authorization: { credentials_file: /etc/prometheus/mqttsn-token }
\`\`\`

The numbers are read when somebody asks; a gateway that nobody scrapes pays nothing for them. Counters start at 0 with
the process. No label names a sensor, so their number does not grow with the network: for single sensors there is
\`/api/sensors\`.

\`deploy/grafana-dashboard.json\` is a dashboard to import into Grafana, \`deploy/alerts.yml\` are alert rules.
`

const LABELS = `## Labels

| Label | Values |
|---|---|
| \`direction\` | \`received\` from sensors, \`sent\` to sensors |
| \`result\` | how a handshake of DTLS ended: \`full\`, \`resumed\`, or why it failed |
| \`type\` | message type, such as \`PUBLISH\` |
| \`reason\` | why something was discarded, the same words as in the log |
| \`state\` | of a sensor: \`willtopic\`, \`willmsg\`, \`connecting\`, \`active\`, \`asleep\`, \`awake\`, \`disconnected\`, \`lost\`; of connections to the broker: \`connected\`, \`connecting\`, \`waiting\` |
| \`session\` | of a sensor that was lost: \`clean\`, it is forgotten; \`kept\`, it is not |
| \`listener\` | its name in the configuration |
| \`version\`, \`gateway_id\` | the program's version, and GwId |

## The process

Besides these there are the usual metrics of a Node.js process, from the first scrape on: \`process_*\` (processor time,
memory, file descriptors, start) and \`nodejs_*\` (heap, garbage collection, event loop). \`nodejs_eventloop_lag_*\` are
sampled every 10 ms and start anew with each scrape, so 0.01 s means idle, and a second scraper halves what each one sees.
`

/** A forwarder in which nothing has happened. */
const noForwarder: Parameters<typeof createForwarderMetrics>[0] = {
  version: '',
  isServed: () => false,
  gwId: () => undefined,
  nodes: () => 0,
  passed: () => ({ received: { messages: 0, octets: 0 }, sent: { messages: 0, octets: 0 } }),
  dropped: () => ({}),
  searches: () => 0,
  held: () => ({}),
  handshakes: () => ({}),
  listeners: () => [],
}

const FORWARDER = `## The forwarder

[\`mqttsn forward\`](forward.md) answers \`GET /metrics\` where \`--metrics\` says. Beside those of the process, and of its listeners and lines under the names
above, it has:
`

/** The document. */
export function metricsDocument(): string {
  const { registry } = createMetrics(nothing)
  const known = new Set(registry.getMetricsAsArray().map(({ name }) => name))
  const own = createForwarderMetrics(noForwarder)
    .registry.getMetricsAsArray()
    .filter(({ name }) => name.startsWith('mqttsn_forwarder_') || !known.has(name))
  return `${INTRODUCTION}\n## The gateway\n\n${tableOf(registry.getMetricsAsArray())}\n\n${FORWARDER}\n${tableOf(own)}\n\n${LABELS}`
}

function tableOf(
  metrics: ReturnType<ReturnType<typeof createMetrics>['registry']['getMetricsAsArray']>,
): string {
  const lines = metrics.map((metric) => {
    const { name, help } = metric
    const labels = labelsOf(metric).map((label) => `\`${label}\``)
    return `| \`${name}\` | ${typeOf(metric)} | ${labels.join(', ')} | ${help} |`
  })
  return ['| Name | Type | Labels | Meaning |', '|---|---|---|---|', ...lines].join('\n')
}

/** The library keeps names of labels where its types do not show them. */
function labelsOf(metric: object): string[] {
  return 'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : []
}

const typeOf = (metric: object) => ('type' in metric ? String(metric.type) : '')

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const file = resolve('docs/metrics.md')
  if (!process.argv.includes('--check')) writeFileSync(file, metricsDocument())
  else if (readFileSync(file, 'utf8') !== metricsDocument()) {
    console.error('docs/metrics.md is out of date: run npx tsx lab/docs/metrics.ts')
    process.exitCode = 1
  }
}
