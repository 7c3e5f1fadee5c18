// The nodes of a cluster, as a console asks them over links.

import type { SlotOwners } from '../../cluster/owners.ts'
import type { Share } from '../../cluster/shares/share.ts'
import { clusterOf } from '../../config/cluster/section.ts'
import type { Config } from '../../config/schema.ts'
import { NodeSilent, type Nodes } from '../../console/nodes.ts'
import { createSlotOf, namingOf } from '../../gateway/rules/naming.ts'
import type { NodeCalls } from './node-calls.ts'
import type { NodeWatches } from './node-watches.ts'

/** What consoles of several nodes ask and see of each other. */
export interface ConsoleTalk {
  readonly calls: NodeCalls
  readonly watches: NodeWatches
}

/** `share` and `talk`: undefined until the node has been opened. */
export function createNodes(
  config: Config,
  share: () => Pick<Share, 'owners' | 'serves'> | undefined,
  talk: () => ConsoleTalk | undefined,
): Nodes {
  const self = clusterOf(config).node
  const slotOf = createSlotOf(namingOf(config))
  const owners = (): SlotOwners | undefined => share()?.owners
  return {
    self,
    members: () => (owners()?.members() ?? []).map(({ node }) => node).sort((a, b) => (a < b ? -1 : 1)),
    ownerOf(clientId) {
      const slot = slotOf(clientId)
      const owner = owners()?.ownerOf(slot)?.node
      // what is on its way here, or to others, is nobody's for a moment
      return owner === self && share()?.serves(slot) !== true ? undefined : owner
    },
    ask: (node, request) =>
      talk()?.calls.ask(node, request) ?? Promise.reject(new NodeSilent(node, 'there is no link to it')),
    watch: (kind, clientId, seen) => talk()?.watches.watch(kind, clientId, seen) ?? (() => {}),
    serve(answer, lookAt) {
      talk()?.calls.serve(answer)
      talk()?.watches.serve(lookAt)
    },
  }
}
