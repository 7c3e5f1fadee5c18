// A rehearsal: before a gateway serves, another one of the same code serves sensors of its own for a moment, so that the engine has
// compiled what every message passes through. Without it, the first sensors, and those of a gateway that has little to do, wait
// for an interpreter: code that runs twenty times a second is long not compiled to the end.

import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '../../config/load.ts'
import type { Config } from '../../config/schema.ts'
import type { Log } from '../../log.ts'
import { startResponder } from '../../upstream/responder.ts'
import { Gateway } from '../gateway.ts'
import { startSensor } from './sensors.ts'

const SENSORS = 8

/**
 * Rehearses for as long as `gateway.warmUp` of the configuration says, and resolves to the number of messages that were
 * received meanwhile; nothing of it reaches beyond this machine's loopback. A failure is told in the log, and no more: a
 * gateway can do without.
 */
export async function rehearse({ gateway: { warmUp, udp }, broker }: Config, log: Log): Promise<number> {
  if (warmUp === 0) return 0
  const opened: { close(): Promise<void> }[] = []
  try {
    const responder = await startResponder()
    opened.unshift(responder)
    const { config } = loadConfig({
      env: {},
      overrides: {
        gateway: { udp },
        listeners: [{ url: 'udp://127.0.0.1:0' }],
        broker: { url: responder.url, version: broker.version, clientId: 'rehearsal' },
        store: { type: 'memory' },
        console: { enabled: false },
      },
    })
    const rehearsal = new Gateway(config)
    opened.unshift({ close: () => rehearsal.stop() })
    await rehearsal.start()
    const [listener] = rehearsal.status().listeners
    const port = Number(new URL(listener?.url ?? '').port)
    for (let index = 1; index <= SENSORS; index += 1) {
      const sensor = await startSensor(port, `rehearsal-${index}`)
      opened.unshift({ close: () => sensor.stop() })
    }
    await sleep(warmUp)
    const { received } = rehearsal.status().counters
    const messages = Object.values(received).reduce((sum, count) => sum + count, 0)
    log.debug({ messages }, 'rehearsed')
    return messages
  } catch (err) {
    log.warn({ err }, 'the rehearsal failed: the first messages will take longer')
    return 0
  } finally {
    for (const one of opened) await one.close().catch(() => {})
  }
}
