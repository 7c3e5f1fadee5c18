// One node of a cluster as a program of its own, whose owners stand in a plain table: slot modulo number of nodes. The first line told is
// the url of its listener; each line of standard input is a question or an order, as JSON, and is answered by a line.
//
//   linked-child.ts {"config": CONFIGURATION, "self": "gw-1", "nodes": [{"node", "address"}], "secret"}

import { createInterface } from 'node:readline'
import { LeaseEnd } from '../../../src/cluster/lease-end.ts'
import { Links } from '../../../src/cluster/links/links.ts'
import { linkAddressOf } from '../../../src/cluster/links/peering.ts'
import type { SlotOwners } from '../../../src/cluster/owners.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { silentLog } from '../../../src/log.ts'
import { allSlots } from '../../../src/sessions/slots.ts'
import { openRouter } from '../../../src/workers/cluster/open-router.ts'
import type { SlotRouter } from '../../../src/workers/cluster/slot-router.ts'
import { Fleet } from '../../../src/workers/fleet.ts'

interface Task {
  readonly config: object
  readonly self: string
  readonly nodes: readonly { readonly node: string; readonly address: string }[]
  readonly secret: string | undefined
  readonly hold: number
}

const say = (what: unknown) => process.stdout.write(`${JSON.stringify(what)}\n`)
const { config: overrides, self, nodes, secret, hold }: Task = JSON.parse(process.argv[2] ?? '{}')
const { config } = loadConfig({ env: {}, overrides })

const ownerAt = (slot: number): string => nodes[slot % nodes.length]?.node ?? ''
const listeners = new Set<() => void>()
const owners: SlotOwners = {
  ownerOf: (slot) => ({ node: ownerAt(slot), incarnation: 1, epoch: 1 }),
  members: () =>
    nodes.map(({ node, address }) => ({
      node,
      incarnation: 1,
      address,
      state: 'active',
      isSelf: node === self,
    })),
  onChange(listener) {
    listeners.add(listener)
    return () => listeners.delete(listener)
  },
  look() {},
}

const own = nodes.find(({ node }) => node === self)
const links = await Links.listen(linkAddressOf(own?.address ?? '') ?? { host: '127.0.0.1', port: 0 }, {
  secret,
  log: silentLog,
})
const end = new LeaseEnd()
end.set(performance.now() + 1e9)
let router: SlotRouter | undefined
const place = { node: self, cluster: 'test', version: '', hold, owners, links, holds: () => true }
const fleet: Fleet = new Fleet(config, Number(config.workers), {
  tenure: {
    open: async () => {},
    own: async () => ({ node: self, incarnation: 1 }),
    holds: () => true,
    confirm: async () => true,
    installation: '',
    memory: end.memory,
    slots: allSlots,
    openRouter(routed) {
      router = openRouter({ ...place, listeners: config.listeners.map(({ name }) => name) }, routed)
      return router
    },
  },
})
await fleet.standBy()
await fleet.start(allSlots.filter((slot) => ownerAt(slot) === self))
say(fleet.listeners()[0]?.url)
for await (const line of createInterface({ input: process.stdin })) {
  const [what] = JSON.parse(line)
  if (what === 'up') say(links.up())
  else if (what === 'counts') {
    const { dropped } = fleet.counters
    const { asked, holding } = router ?? {}
    say({ ...router?.counts, asked, holding, dropped, refused: links.refused })
  } else say('what?')
}
await fleet.stop()
links.close()
