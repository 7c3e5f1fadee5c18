// Writes docs/performance.md from docs/performance.json, the figures of the last full run of the benchmark:
// `npx tsx lab/docs/performance.ts`. With --check it writes nothing and exits with 1 if the page differs.

import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { MOST_TIMES_BARE } from '../bench/goals.ts'
import { comparisonRows, digits, figureOf, markdown, markdownReport, type Report } from '../bench/report.ts'

const FIGURES = 'docs/performance.json'
/** Of the same bench in turns with Paho's gateway. */
const SIDE_BY_SIDE = 'docs/performance-paho.json'
const PAGE = 'docs/performance.md'

const INTRODUCTION = `# Performance

<!-- Written by lab/docs/performance.ts from docs/performance.json and docs/performance-paho.json, which \`npm run bench\` writes. Do not edit. -->

\`npm run bench\` measures the gateway on any machine with Linux; without Mosquitto it uses the embedded broker, which is slower and
shows less. \`npm run bench:docs\` measures everything three times, takes a profile, and writes this page; it takes
about 25 minutes, and the machine should do nothing else meanwhile. \`npm run bench -- --help\` lists the scenarios and how to measure
another gateway by the same yardstick, in turns with this one (\`--against\`).

## How it is measured

- Broker, gateway and load are processes of their own on one machine, fresh for each measurement, and share its processors.
  The gateway runs as it is shipped, with the durable store, except for the limits on sensors and per address (all
  sensors share one here) and T_RETRY = 2 s. What the load itself needs is the last column: where it comes near 100 % of a core, the load is the limit.
- A sensor is one UDP socket; payloads have 32 octets. In a closed loop a sensor sends its next message when the last one is
  acknowledged; one that is not answered within 2 s is sent again, and counts as lost. At QoS 0 a message counts when a subscriber at
  the broker has it. "Highest rate" is found by trial: less than 0.1 % may be missing.
- Processor time is that of all threads of the gateway, from the system's own books (\`/proc\`), divided by the messages of the same
  time. Latency is taken in the load, so waiting for a turn on a busy machine is part of it.
- Loss at QoS 1 and 2 is repetition; that nothing acknowledged is missing at the broker is checked besides. Kernel drops are
  datagrams that found the gateway's socket full.
- "loop p99" is how late the turns of the gateway's event loop were, as its metrics say. Memory per sensor is resident memory with
  sensors less that without, divided by their number; connections to the broker are included.
- With silent sensors the measurement lasts 60 s, in which each connection to the broker shows its keep-alive once.

## How to read it

What else runs on the machine takes from the rates and adds to the latencies, by a factor of two from one hour to another; processor
time per message and ratios within one run move much less. Compare figures of one run only: those of the tables below with each
other, and those of "Side by side" with each other, but not the one with the other.

The goals: in every row at or ahead of Eclipse Paho's C++ gateway in the same run, with nothing repeated and with the durable store; and
at most ${MOST_TIMES_BARE} times the processor time of the bare C loop. The table of goals holds what a run of this benchmark can
judge by itself; the comparison with Paho is under "Side by side".

## Figures
`

const PROFILE = `## Where the time goes

![Bars: processor time of the gateway by part, for QoS 1 from 500 sensors](profile.svg)

A profile of the gateway while 500 sensors publish at QoS 1 in a closed loop, \`npm run bench -- --scenario uplink-qos1 --sensors 500
--profile gateway.cpuprofile\`, drawn by \`npx tsx lab/docs/profile.ts gateway.cpuprofile\`. Calls into the system count for the part that
makes them. Reading datagrams from the socket happens outside of JavaScript, where the profiler sees nothing: it is what the system
counted for the process beyond the profile, helper threads included.
`

/** The page of these figures. */
export function performancePage(report: Report, paho: Report): string {
  return [
    INTRODUCTION,
    markdownReport(report),
    '',
    sideBySide(paho),
    limitOf(report),
    coresOf(report),
    PROFILE,
  ].join('\n')
}

/** This gateway and another one in the same run, in turns. */
function sideBySide(report: Report): string {
  const { against, date, machine, node, broker, command, loadAverage } = report
  if (against === undefined) return ''
  const busy = loadAverage === undefined ? '' : ` Load average before it: ${digits(loadAverage)}.`
  return `## Side by side with the C++ gateway of Eclipse Paho

${date}; ${machine}; Node.js ${node}; ${broker}.${busy} Paho's MQTT-SN gateway is its master at 07a9512, built with \`-O2\`, with
\`MaxNumberOfClients=6000\` and its log thrown away; it keeps nothing on disk. This gateway has one thread and the durable store. Both get
the same load from the same program, with a broker and processes of their own for each measurement, one after the other; the order changes
with every pair. The ratio is that of each pair, this gateway divided by Paho's: median (least-most).

\`\`\`sh
PAHO_GATEWAY=.../MQTT-SNGateway ${command}
\`\`\`

${markdown(comparisonRows(against)).join('\n')}

How to read it: in a closed loop Paho's p50 is shorter where many of its sensors wait 2 s for a repetition at any moment ("lost or repeated"): they
are not in the queue meanwhile; its p99.9 shows them. Resident memory is mostly Node.js itself.
`
}

/** The least that a message costs, next to what it costs here. */
function limitOf(report: Report): string {
  const text = `## The physical limit

\`lab/bench/bare.c\` is the least that anything in this place must do: it receives datagrams (\`recvmmsg\`), writes each to the TCP
connection of its sensor, and at QoS 1 reads the broker's acknowledgement and sends a datagram for it. It checks and remembers nothing,
and repeats nothing. What it needs is mostly the kernel's work for these calls. With a message now and then (20 per second), most of
the latency is processes that wake up: "bare, now and then" shows how much of it is there without a gateway's work.
`
  const lines = (['QoS 0', 'QoS 1'] as const).flatMap((variant) => {
    const costOf = (scenario: string, of = '') =>
      figureOf(report, { scenario, variant: of, sensors: 500 }, 'cpu')?.median
    const bare = costOf('bare', variant)
    const ours = costOf(variant === 'QoS 0' ? 'uplink-qos0' : 'uplink-qos1')
    if (bare === undefined || ours === undefined) return []
    return [
      `| ${variant} | ${digits(bare)} | ${digits(ours)} | ${(ours / bare).toFixed(1)} | ${MOST_TIMES_BARE} |`,
    ]
  })
  if (lines.length === 0) return text
  const head = [
    '| 500 sensors | bare C, µs per message | this gateway | ratio | goal |',
    '|---|---|---|---|---|',
  ]
  return `${[text, ...head, ...lines].join('\n')}\n`
}

/** What several workers cost, and how many of them the first thread can feed. */
function coresOf(report: Report): string {
  const cost = (variant: string, name: 'cpu' | 'cpuFirst') =>
    figureOf(report, { scenario: 'workers', variant, sensors: 500 }, name)?.median
  const [alone, all, first] = [cost('1', 'cpu'), cost('2', 'cpu'), cost('2', 'cpuFirst')]
  if (alone === undefined || all === undefined || first === undefined) return ''
  const most = 1e6 / first
  return `## Several cores

With \`workers\`, the first thread receives and sends all datagrams, and workers do everything else. On this machine, where broker, load and
gateway share the cores, more threads cannot bring more messages; what can be shown is what they cost. At QoS 1, 500 sensors:
${digits(alone)} µs per message in one thread; with two workers ${digits(all)} µs in all, of which ${digits(first)} µs in the first thread and ${digits(all - first)} µs in
a worker. Sensors share nothing and workers wait for nobody, so on a machine with enough cores messages grow with the number of
workers until the first thread is full: at about ${digits(Math.floor(most / 1000) * 1000)} messages per second at QoS 1, which ${digits(most / (1e6 / (all - first)))} workers can carry. Most of its
time are system calls, two per message. Beyond that, several sockets on one port (\`reusePort\`, Node.js 22.12 and later) would have to
share the receiving, or calls that take many datagrams at once, which Node.js does not have and \`npm run native\` adds ([install](install.md)). The
figures of this page are without it.
`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [own, paho] = [FIGURES, SIDE_BY_SIDE].map((file) => JSON.parse(readFileSync(file, 'utf8')) as Report)
  if (own === undefined || paho === undefined) throw new Error('there are no figures')
  const page = performancePage(own, paho)
  if (!process.argv.includes('--check')) writeFileSync(PAGE, page)
  else if (readFileSync(PAGE, 'utf8') !== page) {
    console.error(`${PAGE} does not say what ${FIGURES} says: run npx tsx lab/docs/performance.ts`)
    process.exitCode = 1
  }
}
