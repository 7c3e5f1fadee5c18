// NATS with JetStream as a broker under test: MQTT 3.1.1 on a port of its own.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Broker, can, freePort } from './broker.ts'
import { endProgram, startProgram, startWithFreePorts } from './broker-process.ts'

/** whether NATS is installed here */
export const haveNats = can('nats-server', ['--version'], 'nats-server')

/** Starts NATS with all its files in a directory of its own; anyone may connect. */
export function startNats(): Promise<Broker> {
  return startWithFreePorts(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nats-'))
    const remove = () => rmSync(directory, { recursive: true, force: true })
    const [port, ownPort] = [await freePort(), await freePort()]
    const file = join(directory, 'nats.conf')
    // MQTT needs a name of the server and JetStream, where sessions and retained messages are kept.
    const settings = [`server_name: test${port}`, `listen: 127.0.0.1:${ownPort}`]
    settings.push(`jetstream { store_dir: "${directory}" }`, `mqtt { listen: "127.0.0.1:${port}" }`, '')
    writeFileSync(file, settings.join('\n'))
    try {
      const child = await startProgram({
        program: 'nats-server',
        args: ['-c', file],
        ready: /Server is ready/,
      })
      return {
        url: `mqtt://127.0.0.1:${port}`,
        port,
        close: async () => {
          await endProgram(child, 'SIGKILL')
          remove()
        },
      }
    } catch (error) {
      remove()
      throw error
    }
  })
}
