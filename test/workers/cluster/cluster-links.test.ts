// The links as a gateway has them: what is said of them, and when sensors should better come through another node.

import { describe, expect, it, onTestFinished } from 'vitest'
import type { SlotOwners } from '../../../src/cluster/owners.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { createCounters } from '../../../src/gateway/counters.ts'
import { AssociationUse } from '../../../src/gateway/dtls/association-use.ts'
import { silentLog } from '../../../src/log.ts'
import { SlotStates } from '../../../src/sessions/ownership/slot-states.ts'
import { slotOfName } from '../../../src/sessions/slots.ts'
import { ClusterLinks } from '../../../src/workers/cluster/cluster-links.ts'
import type { RoutedFront } from '../../../src/workers/cluster/router-parts.ts'
import { until } from '../../support/gateway.ts'

const front: RoutedFront = {
  states: new SlotStates([]),
  slotOf: slotOfName,
  books: { counters: createCounters() },
  front: {
    boundAt: () => undefined,
    isAway: () => false,
    use: new AssociationUse(() => {}),
    listenerAt: () => undefined,
    handOver() {},
    displace() {},
  },
}

/** A node of some, of which those that are opened are there. */
class Nodes {
  readonly #members = new Map<string, string | undefined>()
  readonly #listeners = new Set<() => void>()

  constructor(...names: readonly string[]) {
    for (const name of names) this.#members.set(name, undefined)
  }

  async open(self: string, port = 0): Promise<ClusterLinks> {
    const overrides = {
      store: { type: 'postgres', url: 'postgres://127.0.0.1/none' },
      cluster: { node: self, listen: `tcp://127.0.0.1:${port}` },
      listeners: [{ name: 'field', url: 'udp://127.0.0.1:0' }],
    }
    const links = await ClusterLinks.listen(loadConfig({ env: {}, overrides }).config, silentLog)
    onTestFinished(() => links.close())
    this.#members.set(self, `127.0.0.1:${links.port}`)
    const owners: SlotOwners = {
      ownerOf: () => undefined,
      members: () =>
        [...this.#members].map(([node, address]) => ({
          ...{ node, incarnation: 1, address, state: 'active', isSelf: node === self },
        })),
      onChange: (listener) => {
        this.#listeners.add(listener)
        return () => this.#listeners.delete(listener)
      },
      look() {},
    }
    links.route({ cluster: 'c', version: '1', owners, holds: () => true }, front)
    for (const listener of this.#listeners) listener()
    return links
  }
}

describe('a node', () => {
  it('that is linked to fewer than half of the members is not ready, and one of two nodes always is', async () => {
    const nodes = new Nodes('gw-1', 'gw-2', 'gw-3', 'gw-4', 'gw-5')
    const one = await nodes.open('gw-1')
    expect(one.hindrance).toBe('linked to 0 of 4 other nodes only')
    await nodes.open('gw-2')
    await until(() => one.hindrance === 'linked to 1 of 4 other nodes only')
    await nodes.open('gw-4')
    await until(() => one.hindrance === undefined)
    expect(one.status()).toMatchObject({
      nodes: [
        { node: 'gw-2', isUp: true },
        { node: 'gw-4', isUp: true },
      ],
      ...{ forwarded: 0, answered: 0, asked: 0, held: 0, holding: 0, refused: 0 },
    })
    expect((await new Nodes('gw-1', 'gw-2').open('gw-1')).hindrance).toBeUndefined()
  })

  it('whose port is in use does not start, and names the key', async () => {
    const { port } = await new Nodes('gw-1').open('gw-1')
    await expect(new Nodes('gw-2').open('gw-2', port)).rejects.toThrow(/^cluster\.listen: .*EADDRINUSE/)
  })
})
