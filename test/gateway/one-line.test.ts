// Two gateways, as processes, on one serial line: the second one is told, and takes the line when the first has gone.

import { describe, expect, it } from 'vitest'
import { start } from '../support/process.ts'
import { hasSocat, PtyPair } from '../support/ptys.ts'

describe.skipIf(!hasSocat || process.platform !== 'linux')('two gateways on one line (Linux, socat)', () => {
  it('the second says so and has the line as soon as the first was killed [LINK-ST-1]', async ({
    onTestFinished,
  }) => {
    const ptys = await PtyPair.open()
    onTestFinished(() => ptys.close())
    const url = `serial://${ptys.near}?framing=slip&reopen=50ms..200ms`
    const listeners = [{ url, name: 'bench' }]
    const first = await start({ listeners }, '-c', 'c.json')
    await first.said('line open')
    const second = await start({ listeners }, '-c', 'c.json')
    const away = (await second.said('line away')) as { reason?: string }
    expect(away.reason).toContain('another gateway uses this line; give it to one of them')
    first.child.kill('SIGKILL')
    await first.exited
    await second.said('line open')
  }, 60_000)
})
