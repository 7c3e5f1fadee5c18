// A gateway in a process of its own, to be given little memory: drain.ts FOLDER BROKER. It opens the store, forwards all that waits
// in it, and prints a line of JSON: what waited, and the heap in use at most.

import { loadConfig } from '../../src/config/load.ts'
import { Gateway } from '../../src/gateway/gateway.ts'

const [, , path, url] = process.argv
const { config } = loadConfig({
  env: {},
  overrides: {
    listeners: [{ name: 'field', url: 'udp://127.0.0.1:0' }],
    broker: { url, version: '3.1.1' },
    console: { enabled: false },
    sensors: [{ match: '*', ack: 'store' }],
    store: { type: 'lmdb', path },
  },
})
const gateway = new Gateway(config)
await gateway.start()
const { spooled } = gateway.rules.env
const { messages } = spooled
let heap = 0
while (spooled.messages > 0) {
  heap = Math.max(heap, process.memoryUsage().heapUsed)
  await new Promise((resolve) => setTimeout(resolve, 50))
}
await gateway.stop()
process.stdout.write(`${JSON.stringify({ messages, heap })}\n`)
process.exit(0)
