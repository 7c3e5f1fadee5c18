// A TCP line to an address where nobody answers, not even with a refusal, in a network of this process alone and in virtual time. Says
// when it was given up, and with which words; run by `tcp.test.ts`.

import { execFileSync } from 'node:child_process'
import { mock } from 'node:test'
import { openTcp } from '../../src/transport/stream/tcp.ts'

const ip = (...args: string[]) => execFileSync('ip', args)

// what goes there comes back, is not meant for this machine, and is dropped
ip('link', 'set', 'lo', 'up')
ip('route', 'add', '192.0.2.0/24', 'dev', 'lo')
mock.timers.enable({ apis: ['setTimeout'] })
let said = ''
const listener = { onOctets() {}, onTaken() {}, onEnd() {} }
openTcp({ kind: 'tcp', host: '192.0.2.9', port: 4001 }, listener).then(
  () => {
    said = 'connected'
  },
  (error: Error) => {
    said = error.message
  },
)
const settle = () => new Promise((resolve) => setImmediate(resolve))
await settle()
mock.timers.tick(9999)
await settle()
console.log(`before 10 s: ${said}`)
mock.timers.tick(1)
await settle()
console.log(said)
process.exit(0)
