// Writes the table of docs/cluster.md that says what several nodes reach, from docs/cluster-acceptance.json, which `npm run acceptance --
// --json docs/cluster-acceptance.json` writes: `npx tsx lab/docs/acceptance.ts`. With --check it writes nothing and exits with 1 if the page differs.

import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { type AcceptanceReport, acceptanceRows } from '../acceptance/report.ts'
import { digits, markdown } from '../bench/report.ts'

const FIGURES = 'docs/cluster-acceptance.json'
const PAGE = 'docs/cluster.md'
const [BEGIN, END] = [
  '<!-- acceptance: written by lab/docs/acceptance.ts, do not edit -->',
  '<!-- /acceptance -->',
]

/** The page with the table of these figures in its place. Throws an Error if there is no such place. */
export function pageWith(page: string, report: AcceptanceReport): string {
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error(`${PAGE} has no place for the table`)
  return `${before}${BEGIN}\n${section(report)}\n${END}${after}`
}

function section(report: AcceptanceReport): string {
  const { date, machine, node, broker, sensors, command, loadAverage, acknowledged, lost, faults } = report
  return `${date}; ${machine}; Node.js ${node}; ${broker}; PostgreSQL with a synchronous standby, ${digits(sensors)} sensors, three nodes and the balancer on the same
machine. Load average before it: ${digits(loadAverage)}. ${acknowledged.toLocaleString('en-US')} messages were acknowledged to sensors and broker at QoS 1 and 2, ${lost} were lost, ${faults.length} other things were wrong.

\`\`\`sh
${command}
\`\`\`

${markdown(acceptanceRows(report.measured)).join('\n')}`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const before = readFileSync(PAGE, 'utf8')
  const page = pageWith(before, JSON.parse(readFileSync(FIGURES, 'utf8')) as AcceptanceReport)
  if (!process.argv.includes('--check')) writeFileSync(PAGE, page)
  else if (before !== page) {
    console.error(`${PAGE} does not say what ${FIGURES} says: run npx tsx lab/docs/acceptance.ts`)
    process.exitCode = 1
  }
}
