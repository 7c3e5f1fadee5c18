// Which connection leads to whom: to the modem itself, or to the one that last spoke for a node behind it. Pure.

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
