// Attacks the DTLS core in virtual time: `npx tsx lab/fuzz-dtls.ts --datagrams 10000000 --seed 1`.
// `--round` repeats one round alone, as a failure names it. Exit codes: 0 all is well, 1 something is wrong, 2 usage.

import { parseArgs } from 'node:util'
import { type DtlsFuzzReport, fuzzDtls } from './fuzz/dtls-run.ts'

const USAGE = 'usage: npx tsx lab/fuzz-dtls.ts [--datagrams NUMBER] [--seed NUMBER] [--round NUMBER]'
const MOST = 1_000_000_000

function numbers(): { datagrams: number; seed: number; round: number | undefined } {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { datagrams: text, seed: text, round: text } })
  const datagrams = Number(values.datagrams ?? 100_000)
  const seed = Number(values.seed ?? 1)
  if (!Number.isInteger(datagrams) || datagrams < 1 || datagrams > MOST) {
    throw new Error(`--datagrams: expected 1 to ${MOST}, got ${values.datagrams}`)
  }
  if (!Number.isInteger(seed)) throw new Error(`--seed: expected a whole number, got ${values.seed}`)
  const round = values.round === undefined ? undefined : Number(values.round)
  if (round !== undefined && !(Number.isInteger(round) && round >= 0))
    throw new Error(`--round: expected a whole number, got ${values.round}`)
  return { datagrams, seed, round }
}

function line({ mutated, handshakes, sessions, resumed, said, delivered }: DtlsFuzzReport): string {
  const { rss, heapUsed } = process.memoryUsage()
  return (
    `${mutated} mutated; ${handshakes} handshakes begun, ${sessions} sessions, ${resumed} of them resumed; ` +
    `${said} messages said, ${delivered} delivered; ${Math.round(rss / 1e6)} MB, heap ${Math.round(heapUsed / 1e6)} MB`
  )
}

function main(): number {
  let options: ReturnType<typeof numbers>
  try {
    options = numbers()
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`)
    return 2
  }
  const startedAt = performance.now()
  let shownAt = startedAt
  const report = fuzzDtls({
    ...options,
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

process.exitCode = main()
