// Nodes of one process with links over TCP, and the table of members that they all see.

import { onTestFinished } from 'vitest'
import type { LinkBatch } from '../../../src/cluster/links/connection.ts'
import { type AboutNode, Links } from '../../../src/cluster/links/links.ts'
import type { LinkedMember, SlotOwners } from '../../../src/cluster/owners.ts'

/** What a node is opened with. */
export interface NodeOptions {
  readonly secret?: string
  readonly about?: Partial<AboutNode>
  readonly port?: number
  readonly incarnation?: number
}

/** Nodes of one process, and the table of members that they all see. */
export class Nodes {
  readonly members = new Map<string, Omit<LinkedMember, 'isSelf'>>()
  readonly #listeners = new Set<() => void>()

  change(): void {
    for (const listener of this.#listeners) listener()
  }

  /** A member whose address is this. */
  add(node: string, port: number, incarnation = 1): void {
    this.members.set(node, { node, incarnation, address: `127.0.0.1:${port}`, state: 'active' })
  }

  async open(node: string, { secret, about, port = 0, incarnation = 1 }: NodeOptions = {}) {
    const said: string[] = []
    const note = (level: string) => (fields: object, message: string) =>
      void said.push(`${level} ${message} ${JSON.stringify(fields)}`)
    const log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
    const links = await Links.listen({ host: '127.0.0.1', port }, { secret, log })
    onTestFinished(() => links.close())
    this.add(node, links.port, incarnation)
    const owners: SlotOwners = {
      ownerOf: () => undefined,
      members: () => [...this.members.values()].map((one) => ({ ...one, isSelf: one.node === node })),
      onChange: (listener) => {
        this.#listeners.add(listener)
        return () => this.#listeners.delete(listener)
      },
      look() {},
    }
    const batches: (Omit<LinkBatch, 'octets'> & { from: string; text: string })[] = []
    const messages: unknown[] = []
    links.begin({ cluster: 'c', version: '1', listeners: ['field'], node, ...about }, owners, {
      batch(from, { octets, ...batch }) {
        batches.push({ from, text: Buffer.from(octets).toString(), ...batch })
        return true
      },
      message(from, message) {
        messages.push([from, message])
        return message !== 'nonsense'
      },
      changed() {},
    })
    this.change()
    return { links, said, batches, messages, node }
  }
}
