// Writes docs/sizing.md with what the model of lab/sizing says of the costs in docs/performance.json: `npx tsx lab/docs/sizing.ts`.
// With --check it writes nothing and exits with 1 if the page differs.

import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { markdown, type Report } from '../bench/report.ts'
import { costRows, costsOf } from '../sizing/costs.ts'
import { needTable, portsTable, waitsTable } from '../sizing/tables.ts'

const FIGURES = 'docs/performance.json'
const PAGE = 'docs/sizing.md'

const INTRODUCTION = `# Sizing

<!-- Written by lab/docs/sizing.ts from lab/sizing and docs/performance.json. Do not edit. -->

How many gateways, cores and rows in the database does a site need, and how long do sensors wait when a gateway is gone? The tables here are
made by a model that anybody can run for a site of their own:

\`\`\`sh
npx tsx lab/sizing.ts --help
npx tsx lab/sizing.ts --sensors 250000 --interval 30s --mix 0:0.9,1:0.1 --keep-alive 5m --cores 4 --local-addresses 4
npx tsx lab/sizing.ts --sensors 250000 --nodes 5 --detect 5s --balancer 10s --connects 500 --seed 7
npx tsx lab/sizing.ts --performance my-report.json --cost hop=5 --cost engineRows=50000 --tables
\`\`\`

**This is a model.** It multiplies what a message cost in the benchmark with how many there are, and adds up; nothing on this page was
measured at these sizes. Nothing above some ten thousand sensors per machine was ever tried by the project. Take it to see which
limit comes first and what a change is worth, and try the real thing before you rely on it.

**Several gateways that serve at the same time** share sensors by the slots of their ClientIds; [cluster.md](cluster.md) says what there is of that in this version. Where
it says that one node serves at a time, the column "one node is enough" is what counts: with "yes" a pair carries the site. The tables with more
nodes are the plan for several.
`

const MODELLED = `## What is in it, and what is not

- **Measured**, on the machine and by the commands of [performance.md](performance.md): what messages cost one gateway with 500 sensors, its
  threads, its memory. Another machine has other costs: \`npm run bench -- --json my-report.json\` there, then \`--performance\`.
- **Measured once**, for the design, on two cores that were shared with other work: rows of PostgreSQL 15 with a synchronous standby (groups of
  a hundred), its write-ahead log, datagrams between two nodes. Their order of magnitude is what they tell.
- **Assumed**: what the table of costs says so of. All of them can be given with \`--cost\`.
- **Only modelled**: that costs grow with the number of messages and not faster; that sensors are spread evenly over nodes and in time; that cores
  do not slow each other down; the whole takeover but its reading of rows.
- **Left out**: the broker itself, which has as many connections as there are sensors, and may need more than all gateways together; DTLS
  (its costs are in performance.md); the network; what a message costs that is repeated; vacuum of the database.

Half of the cores may be busy while all nodes are there, and one node may be missing, unless it says otherwise. A message at QoS 2 is four datagrams, a
PINGREQ two. Datagrams come in at any node and reach the right one over a hop, all but one of N.
`

const PORTS = `## Connections to the broker

A sensor with a connection of its own (\`broker.connections\`: \`"perSensor"\`) needs a TCP port of the gateway's machine. Linux has 28,232 of them
(\`net.ipv4.ip_local_port_range\`) for each local address. Where the system chooses the local address, it may use each port once towards each address of the
broker, and the addresses of a broker name have their turn. A connection that goes out from one of
\`broker.localAddresses\` has its port for itself, whatever it leads to, so that the number of these addresses is what counts.
`

const PORTS_MORE = `
\`sysctl net.ipv4.ip_local_port_range="1024 65535"\` more than doubles that (\`--cost ports=64512\`); leave out what listens there. Shared connections
need hardly any: see [shared connections](shared-connections.md). Open files (\`ulimit -n\`) and \`limits.sensors\` have to grow as well: see
[operation](operation.md#how-many-sensors).
`

const SITES = `## What sites need

A message of each sensor every 10 s, keep-alive 300 s, 8 cores per node, unless the first column says otherwise.
`

const SITES_MORE = `
- **Set by** is what the number of nodes follows from: \`ports\` of connections to the broker, \`cores\`, the \`first thread\` of a node, which receives and
  sends all datagrams, or \`least\`: one node, and one that may be missing.
- **Rows** are written to PostgreSQL (\`store.type\`). QoS 0 and 1 write none but that a sensor was heard: once in its keep-alive, and every
  60 s at most (\`store.heardEvery\`). More rows than one primary carries need several, which the gateway cannot use yet.
- With the store in a folder (\`lmdb\`) one gateway serves alone, without hops and without engine; the other columns hold.
`

const TAKEOVERS = `## When a node is gone

Each sensor that was on the node, or whose messages came in there, is followed until it has its next answer: messages every 10 s, T_RETRY 10 s, N_RETRY 3. The
time until its next message is part of p50, p99 and max; "longest wait" counts from the first try of a message. \`--seed\` gives another course of chance.
`

const TAKEOVERS_MORE = `
The health check of the balancer is slower than the gateways, so it should take 10 s at most. Few large nodes, and a broker that takes
connections slowly, are what makes sensors wait; with four tries in 40 s (N_RETRY 3) those who wait for longer give up and connect anew.
`

/** The page. Throws an Error if the report lacks a figure. */
export function sizingPage(report: Report): string {
  const costs = costsOf(report)
  const table = (rows: string[][]): string => markdown(rows).join('\n')
  return `${[
    INTRODUCTION,
    MODELLED,
    PORTS,
    table(portsTable(costs)),
    PORTS_MORE,
    SITES,
    table(needTable(costs)),
    SITES_MORE,
    TAKEOVERS,
    table(waitsTable(costs)),
    TAKEOVERS_MORE,
    `## Costs\n\nOf ${report.date}, ${report.machine}.\n`,
    table([['cost', 'what it is', 'value', 'source'], ...costRows(costs)]),
  ].join('\n')}\n`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const page = sizingPage(JSON.parse(readFileSync(FIGURES, 'utf8')) as Report)
  if (!process.argv.includes('--check')) writeFileSync(PAGE, page)
  else if (readFileSync(PAGE, 'utf8') !== page) {
    console.error(`${PAGE} does not say what ${FIGURES} and lab/sizing say: run npx tsx lab/docs/sizing.ts`)
    process.exitCode = 1
  }
}
