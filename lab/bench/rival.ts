// Another gateway that is measured in turns with this one (`--against`): another build of this project, or a foreign program.

import { createSocket } from 'node:dgram'
import { join } from 'node:path'
import { encodeFrame } from '../../src/codec/v1/frame.ts'
import { freePort, GatewayProcess, Program } from '../processes.ts'
import type { Endpoint } from './sensors.ts'

const LOOPBACK = '127.0.0.1'
/** Milliseconds between two questions whether a foreign gateway is there. */
const ASK_EVERY = 200

/** What a foreign program's command line may hold, and is given. */
export const PLACEHOLDERS = ['{port}', '{broker-port}', '{folder}'] as const

/** A gateway that runs. */
export interface RunningGateway {
  readonly udpPort: number
  readonly dtlsPort: number
  readonly pid: number
  readonly console: string | undefined
  readonly faults: readonly string[]
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

/** Whether the command starts a program that is not a build of this project: it is told ports instead of a configuration. */
export const isForeign = (command: string): boolean => PLACEHOLDERS.some((name) => command.includes(name))

/** Words of a command line; quotes hold words with spaces together. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? '',
  )
}

/**
 * Starts it. A build of this project is given `gateway -c FILE` with the same configuration as ours; a foreign program
 * finds the port to listen at, the broker's port on 127.0.0.1, and a folder of its own, in its command line. Rejects with its
 * last words if it is not there in time.
 */
export async function startRival(
  command: string,
  folder: string,
  broker: Endpoint,
  configuration: object,
): Promise<RunningGateway> {
  if (isForeign(command)) return startForeign(command, folder, broker)
  const [program = '', ...rest] = wordsOf(command)
  const gateway = new GatewayProcess(folder, rest, configuration, program)
  try {
    await gateway.start()
  } catch (error) {
    await gateway.end('SIGKILL')
    throw error
  }
  return gateway
}

async function startForeign(command: string, folder: string, broker: Endpoint): Promise<RunningGateway> {
  const udpPort = await freePort()
  const values = { '{port}': udpPort, '{broker-port}': broker.port, '{folder}': folder }
  const [name = '', ...args] = wordsOf(command).map((word) =>
    PLACEHOLDERS.reduce(
      (text, placeholder) => text.replaceAll(placeholder, String(values[placeholder])),
      word,
    ),
  )
  const program = new Program(name, args, join(folder, 'rival.log'))
  const probe = createSocket('udp4')
  let answered = false
  let askedAt = 0
  probe.on('message', () => {
    answered = true
  })
  probe.on('error', () => {})
  try {
    await program.start((line) => {
      if (line !== '') return false
      if (performance.now() - askedAt > ASK_EVERY) {
        askedAt = performance.now()
        probe.send(hello, udpPort, LOOPBACK)
      }
      return answered
    })
    probe.send(encodeFrame({ type: 'disconnect', duration: null }), udpPort, LOOPBACK)
  } catch (error) {
    await program.end('SIGKILL')
    throw error
  } finally {
    probe.close()
  }
  const { pid } = program
  return { udpPort, dtlsPort: 0, pid, console: undefined, faults: [], end: (signal) => program.end(signal) }
}

/** Every gateway answers it, one without its broker too. */
const hello = encodeFrame({
  type: 'connect',
  clientId: 'bench-probe',
  will: false,
  cleanSession: true,
  protocolId: 1,
  duration: 60,
})
