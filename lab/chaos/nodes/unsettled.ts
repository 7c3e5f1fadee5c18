// What is still on its way among nodes: datagrams that they hold until it is known who serves a sensor, and slots that nobody serves at the
// moment. Nothing is when all troubles are over.

import type { ClusterInfo } from '../../../src/console/contract/cluster.ts'
import { SLOTS } from '../../../src/sessions/slots.ts'

/** Milliseconds in which a node has to answer. */
const PATIENCE = 2000

type Said = { readonly slots: number } | { readonly problem: string }

/** What of these nodes with these consoles is not settled, in words; undefined: all is. One that does not say so has a problem too. */
export async function unsettledOf(
  nodes: readonly { name: string; console: string }[],
): Promise<string | undefined> {
  let slots = 0
  for (const said of await Promise.all(nodes.map(ask))) {
    if ('problem' in said) return said.problem
    slots += said.slots
  }
  return slots === SLOTS ? undefined : `${slots} of ${SLOTS} slots are served`
}

async function ask({ name, console }: { name: string; console: string }): Promise<Said> {
  try {
    const answer = await fetch(`${console}/api/cluster`, { signal: AbortSignal.timeout(PATIENCE) })
    const { links, slots } = (await answer.json()) as ClusterInfo
    if (links === undefined) return { problem: `the node ${name} has no links` }
    return links.holding === 0 ? { slots } : { problem: `the node ${name} holds ${links.holding} datagrams` }
  } catch (error) {
    return { problem: `the node ${name} does not say what it holds: ${error}` }
  }
}
