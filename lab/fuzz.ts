// Sends broken datagrams to a gateway in this process: `npx tsx lab/fuzz.ts --datagrams 1000000 --seed 1`.
// Exit codes: 0 all is well, 1 something is wrong, 2 usage.

import { parseArgs } from 'node:util'
import { createLog } from '../src/log.ts'
import { type FuzzReport, fuzzGateway } from './fuzz/run.ts'

const USAGE = 'usage: npx tsx lab/fuzz.ts [--datagrams NUMBER] [--seed NUMBER]'
const MOST = 100_000_000

function numbers(): { datagrams: number; seed: number } {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { datagrams: text, seed: text } })
  const datagrams = Number(values.datagrams ?? 100_000)
  const seed = Number(values.seed ?? 1)
  if (!Number.isInteger(datagrams) || datagrams < 1 || datagrams > MOST) {
    throw new Error(`--datagrams: expected 1 to ${MOST}, got ${values.datagrams}`)
  }
  if (!Number.isInteger(seed)) throw new Error(`--seed: expected a whole number, got ${values.seed}`)
  return { datagrams, seed }
}

function line({ sent, decoded, sources, strangers, sessions, strangerOctets }: FuzzReport): string {
  const megabytes = Math.round(process.memoryUsage().rss / 1e6)
  return (
    `${sent} datagrams, ${decoded} decoded, ${sessions} connections; ${sources} sources, ${strangers} strangers ` +
    `(${strangerOctets.sent} octets from them, ${strangerOctets.received} to them); ${megabytes} MB`
  )
}

async function main(): Promise<number> {
  let options: { datagrams: number; seed: number }
  try {
    options = numbers()
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`)
    return 2
  }
  const startedAt = performance.now()
  let shownAt = startedAt
  const log = createLog({ level: 'error', format: 'pretty', payloads: false })
  const report = await fuzzGateway({
    ...options,
    log,
    onRound(soFar) {
      if (performance.now() - shownAt < 5000) return
      shownAt = performance.now()
      console.log(line(soFar))
    },
  })
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`${line(report)}; seed ${options.seed}, ${seconds} s`)
  for (const failure of report.failures) console.error(`failed: ${failure}`)
  return report.failures.length === 0 ? 0 : 1
}

process.exitCode = await main()
