// The physical limit: the same uplinks through a C program that receives and writes, and does nothing else.

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Program } from '../../processes.ts'
import type { Figures, Row } from '../figures.ts'
import { NotHere } from '../not-here.ts'
import type { Scenario } from '../scenarios.ts'
import { connectPublishers, type Fleet } from '../sensors.ts'
import { newFolder, removeFolder, type Stage, startBroker } from '../stage.ts'
import type { Context } from '../window.ts'
import { calm, flood, loop } from './uplink.ts'

/** The source stays where it is: the compiler of this project leaves C alone. */
const SOURCES = ['../bare.c', '../../../../lab/bench/bare.c'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
)

export const bareScenarios: readonly Scenario[] = [
  {
    name: 'bare',
    about: 'the physical limit: a receive and write loop in C, QoS 0 and QoS 1 (needs cc)',
    sensors: [500],
    smallest: 5,
    withTarget: false,
    run: async (context, sensors) => [
      await bare(context, sensors, 0, 'QoS 0', flood),
      await bare(context, sensors, 1, 'QoS 1', (...given) => loop(...given, 1)),
      await bare(context, 1, 1, 'QoS 1, now and then', (...given) => calm(...given, 1)),
    ],
  },
]

async function bare(
  context: Context,
  count: number,
  qos: 0 | 1,
  variant: string,
  work: (context: Context, stage: Stage, fleet: Fleet) => Promise<Figures>,
): Promise<Row> {
  const folder = newFolder()
  const program = compile(folder)
  const broker = await startBroker(context.broker, folder)
  const loopProgram = new Program(program, [String(broker.endpoint.port)], join(folder, 'bare.log'))
  let port = 0
  try {
    await loopProgram.start((line) => {
      port ||= Number(/^listening (\d+)/.exec(line)?.[1] ?? 0)
      return port > 0
    })
    const stage: Stage = {
      gateway: { host: '127.0.0.1', port },
      broker: broker.endpoint,
      pid: loopProgram.pid,
      brokerPid: broker.pid,
      console: undefined,
      faults: [],
      close: async () => {},
    }
    const fleet = await connectPublishers(stage.gateway, count, qos)
    try {
      return { scenario: 'bare', variant, sensors: count, figures: await work(context, stage, fleet) }
    } finally {
      for (const sensor of fleet.sensors) sensor.close()
    }
  } finally {
    await loopProgram.end('SIGKILL')
    await broker.end()
    removeFolder(folder)
  }
}

function compile(folder: string): string {
  const source = SOURCES.find((path) => existsSync(path))
  if (process.platform !== 'linux' || source === undefined) throw new NotHere('it is for Linux')
  const program = join(folder, 'bare')
  try {
    execFileSync('cc', ['-O2', '-o', program, source], { stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new NotHere('there is no C compiler (cc)')
    }
    throw error
  }
  return program
}
