// Which connection leads to whom: to the modem itself, or to the one that last spoke for a node behind it. Pure.

import type { Remote } from '../transport.ts'

/** Octets as hexadecimal digits. */
export const hex = (octets: Uint8Array): string =>
  Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('')

/** What a connection is found by. */
export const keyOf = ({ address, port }: Remote): string => `${address} ${port}`

/**
 * The bridge that a node is behind, and what the node is called there: `aquila/10.0.0.9/2` is `aquila/2` behind `bridge/10.0.0.9`,
 * where the modem has link addresses; otherwise it is the id in an encapsulation, if there is one.
 */
export function placeOf(
  remote: Remote,
  nodeId: Uint8Array | undefined,
): { bridge: string; node: string | undefined } {
  const [, kind, host = '', node = ''] = /^([a-z0-9]+)\/(.+)\/([^/]+)$/.exec(remote.address) ?? []
  if (kind !== undefined) return { bridge: `bridge/${host} 0`, node: `${kind}/${node}` }
  return { bridge: keyOf(remote), node: nodeId && hex(nodeId) }
}

/** Nodes that are remembered; of more, the one that was heard first is looked for at the newest connection of its bridge. */
const MOST_NODES = 10_000

/** Ways to connections, by the address that the gateway knows, and what the node behind it is called there. */
export class Calls<Connection> {
  readonly #byAddress = new Map<string, Connection[]>()
  readonly #byNode = new Map<string, Connection>()

  /** A connection from this address; the newest one gets what is for no node that was heard. */
  add(address: string, connection: Connection): void {
    const known = this.#byAddress.get(address)
    if (known === undefined) this.#byAddress.set(address, [connection])
    else known.push(connection)
  }

  /** It speaks for this node from now on. */
  note(address: string, node: string, connection: Connection): void {
    const key = `${address} ${node}`
    if (this.#byNode.get(key) === connection) return
    this.#byNode.set(key, connection)
    for (const oldest of this.#byNode.keys()) {
      if (this.#byNode.size <= MOST_NODES) break
      this.#byNode.delete(oldest)
    }
  }

  /** Where something for this address goes, or for a node behind it; undefined if nobody from there is connected. */
  find(address: string, node?: string): Connection | undefined {
    const known = node === undefined ? undefined : this.#byNode.get(`${address} ${node}`)
    return known ?? this.#byAddress.get(address)?.at(-1)
  }

  /** It is gone. */
  remove(address: string, connection: Connection): void {
    const left = (this.#byAddress.get(address) ?? []).filter((one) => one !== connection)
    if (left.length > 0) this.#byAddress.set(address, left)
    else this.#byAddress.delete(address)
    for (const [key, one] of this.#byNode) if (one === connection) this.#byNode.delete(key)
  }
}
