// A fleet whose slots come and go on command, as a program of its own. A line of standard input is what is to be done, as JSON:
// ["adopt" or "release", slots, how], or "move" for both at once; each is answered by a line: "done", or why not. The first line told is the url.
//
//   slots-child.ts CONFIGURATION

import { createInterface } from 'node:readline'
import { loadConfig } from '../../src/config/load.ts'
import { silentLog } from '../../src/log.ts'
import { createGateway } from '../../src/workers/any-gateway.ts'

const say = (text: string) => process.stdout.write(`${text}\n`)
const { config } = loadConfig({ env: {}, overrides: JSON.parse(process.argv[2] ?? '{}') })
const gateway = createGateway(config, silentLog, '')
await gateway.start()
const view = await gateway.view()
say(view.listeners().map(({ url }) => url)[0] ?? '')
for await (const line of createInterface({ input: process.stdin })) {
  const [what, slots, how = 'closing'] = JSON.parse(line)
  try {
    if (what === 'move') await Promise.all([gateway.release(slots, how), gateway.adopt(slots)])
    else if (what === 'adopt') await gateway.adopt(slots)
    else if (what === 'release') await gateway.release(slots, how)
    say(what === 'dropped' ? JSON.stringify((await view.info()).counters.dropped) : 'done')
  } catch (error) {
    say(String(error))
  }
}
await gateway.stop()
