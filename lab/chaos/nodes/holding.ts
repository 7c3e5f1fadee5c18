// What nodes hold until it is known who serves a sensor: for a moment each, and nothing when all troubles are over.

import type { ClusterInfo } from '../../../src/console/contract/cluster.ts'

/** Milliseconds in which a node has to answer. */
const PATIENCE = 2000

/** What the nodes with these consoles hold now, in words; undefined: nothing. One that does not say so has a problem too. */
export async function holdingOf(
  nodes: readonly { name: string; console: string }[],
): Promise<string | undefined> {
  const problems = await Promise.all(nodes.map(problemOf))
  return problems.find((problem) => problem !== undefined)
}

async function problemOf({ name, console }: { name: string; console: string }): Promise<string | undefined> {
  try {
    const answer = await fetch(`${console}/api/cluster`, { signal: AbortSignal.timeout(PATIENCE) })
    const { links } = (await answer.json()) as ClusterInfo
    if (links === undefined) return `the node ${name} has no links`
    return links.holding === 0 ? undefined : `the node ${name} holds ${links.holding} datagrams`
  } catch (error) {
    return `the node ${name} does not say what it holds: ${error}`
  }
}
