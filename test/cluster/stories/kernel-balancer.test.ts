// The kernel as the balancer, as deploy/nftables sets it up, in a network of its own: sensors know one address, and nodes die behind it.

import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { cluster } from '../../../src/config/cluster/section.ts'
import { haveMosquitto } from '../../support/broker.ts'
import { haveCommands, isRoot } from '../../support/debian.ts'
import type { KernelStory } from '../../support/kernel-balancer.ts'
import { hasPostgres } from '../../support/postgres.ts'

/** Milliseconds on a machine that is busy with other things. */
const TIMEOUT = 180_000

const hasKernel =
  isRoot &&
  haveCommands('unshare', 'ip', 'nft', 'conntrack', 'curl') &&
  spawnSync('unshare', ['-n', 'sh', '-c', 'ip link set lo up && nft list tables && conntrack -L']).status ===
    0

async function play(nodes: number): Promise<KernelStory> {
  const program = [process.execPath, '--import', 'tsx', 'test/support/kernel-balancer.ts', String(nodes)]
  const { stdout } = await promisify(execFile)('unshare', ['-n', ...program], { timeout: TIMEOUT })
  return JSON.parse(stdout.split('\n').at(-2) ?? '')
}

it.runIf(hasKernel && hasPostgres && haveMosquitto)(
  'the kernel sends all sensors to the node that serves, and after its death to the other one, which no sensor notices (root, nftables) [SN-SESS-10]',
  { timeout: TIMEOUT },
  async () => {
    const story = await play(2)
    const [other = ''] = ['10.99.0.11', '10.99.0.12'].filter((address) => address !== story.killed)
    expect(Object.keys(story.before)).toEqual([story.killed])
    expect(Object.keys(story.after)).toEqual([other])
    expect(story).toMatchObject({ lost: 0, missing: 0, registers: 30 })
    expect(story.acknowledged).toBeGreaterThanOrEqual(180)
  },
)

const hasLinks = 'listen' in cluster.shape && existsSync('dist/src/cli.js')

it.runIf(hasKernel && hasPostgres && haveMosquitto && hasLinks)(
  'the kernel spreads the sensors over three nodes, and those of one that has died over the others, which no sensor notices (root, nftables, dist/) [SN-SESS-10]',
  { timeout: TIMEOUT },
  async () => {
    const story = await play(3)
    const all = ['10.99.0.11', '10.99.0.12', '10.99.0.13']
    expect(Object.keys(story.before).toSorted()).toEqual(all)
    expect(Object.keys(story.after).toSorted()).toEqual(all.filter((address) => address !== story.killed))
    expect(story).toMatchObject({ lost: 0, missing: 0, registers: 30 })
    expect(story.acknowledged).toBeGreaterThanOrEqual(180)
  },
)
