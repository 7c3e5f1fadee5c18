// The rehearsal before a gateway serves: sensors of its own, which the outside never sees.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { rehearse } from '../../src/gateway/rehearsal/rehearse.ts'
import { createLog } from '../../src/log.ts'

const configWith = (warmUp: string, version = 'auto') =>
  loadConfig({ env: {}, overrides: { gateway: { warmUp }, broker: { url: 'mqtt://192.0.2.1', version } } })
    .config

/** A log at level debug, and what it wrote. */
function recordingLog() {
  const lines: string[] = []
  const stream = { isTTY: false, hasColors: () => false, write: (line: string) => lines.push(line) }
  const { log: settings } = loadConfig({
    env: {},
    overrides: { log: { level: 'debug', format: 'json' } },
  }).config
  return { lines, log: createLog(settings, stream) }
}

describe('the rehearsal of a gateway', () => {
  it.each(['auto', '3.1.1', '5'])('passes messages of every QoS both ways, with MQTT %s', async (version) => {
    const { lines, log } = recordingLog()
    const messages = await rehearse(configWith('400ms', version), log)
    // eight sensors connect, register and subscribe; what is above that are messages
    expect(messages).toBeGreaterThan(8 * 3)
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['rehearsed'])
  })

  it('leaves nothing open, and nothing on the disk', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mqttsn-rehearsal-'))
    const before = process.getActiveResourcesInfo().filter((name) => /UDP|TCP/.test(name)).length
    const config = configWith('50ms')
    config.store = { ...config.store, path: folder }
    await rehearse(config, recordingLog().log)
    await new Promise((done) => setImmediate(done))
    expect(process.getActiveResourcesInfo().filter((name) => /UDP|TCP/.test(name))).toHaveLength(before)
    expect(readdirSync(folder)).toEqual([])
    rmSync(folder, { recursive: true })
  })

  it('does not take place where the configuration does not want it', async () => {
    const { lines, log } = recordingLog()
    expect(await rehearse(configWith('0s'), log)).toBe(0)
    expect(lines).toEqual([])
  })
})
