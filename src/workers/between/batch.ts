// Datagrams on their way between threads: those of one turn of the event loop are packed into one piece of memory.

import type { Remote } from '../../transport/transport.ts'
import { Associations, associationText } from './associations.ts'

/** Listener, port, octets of the address, of the gateway's own address, of the association, and of the datagram. */
const HEADER = 1 + 2 + 1 + 1 + 2 + 2
const LONGEST_ADDRESS = 255
/** of an identity, in UTF-8, with number and kind */
const LONGEST_ASSOCIATION = 1024
const LEAST = 4096
/** Beside the listener's number: `Remote.isStranger`. */
const STRANGER = 0x80

/** Takes one datagram out of a batch; `bytes` are its own. An empty address stands for all nodes, the port then for a radius. */
export type OnPacked = (listener: number, remote: Remote, bytes: Uint8Array) => void

/** Collects datagrams; one object for the life of a thread. */
export class Batch {
  #memory = Buffer.alloc(LEAST)
  #used = 0
  /** datagrams since the last `take` */
  count = 0

  /** Adds a datagram; `listener` is the listener's number, `bytes` at most 65,535 octets. */
  add(listener: number, { address, port, local, association, isStranger }: Remote, bytes: Uint8Array): void {
    const spare = 2 * LONGEST_ADDRESS + (association === undefined ? 0 : LONGEST_ASSOCIATION)
    const needed = this.#used + HEADER + spare + bytes.length
    if (needed > this.#memory.length) this.#grow(needed)
    const memory = this.#memory
    const start = this.#used
    const addressEnd = start + HEADER + memory.write(address, start + HEADER, LONGEST_ADDRESS, 'latin1')
    const localEnd =
      addressEnd + (local === undefined ? 0 : memory.write(local, addressEnd, LONGEST_ADDRESS, 'latin1'))
    const end =
      localEnd +
      (association === undefined
        ? 0
        : memory.write(associationText(association), localEnd, LONGEST_ASSOCIATION, 'utf8'))
    memory[start] = isStranger ? listener | STRANGER : listener
    memory.writeUInt16BE(port, start + 1)
    memory[start + 3] = addressEnd - start - HEADER
    memory[start + 4] = localEnd - addressEnd
    memory.writeUInt16BE(end - localEnd, start + 5)
    memory.writeUInt16BE(bytes.length, start + 7)
    memory.set(bytes, end)
    this.#used = end + bytes.length
    this.count += 1
  }

  /** The batch, in memory that can be given away, and an empty one to go on with. */
  take(): Uint8Array<ArrayBuffer> {
    const octets = new Uint8Array(this.#used)
    octets.set(this.#memory.subarray(0, this.#used))
    this.#used = 0
    this.count = 0
    return octets
  }

  #grow(needed: number): void {
    const larger = Buffer.alloc(Math.max(needed, 2 * this.#memory.length))
    this.#memory.copy(larger, 0, 0, this.#used)
    this.#memory = larger
  }
}

const known = new Associations()

/** Takes a batch apart, in order. */
export function unpackBatch(batch: Uint8Array, onPacked: OnPacked): void {
  const memory = Buffer.from(batch.buffer, batch.byteOffset, batch.length)
  let at = 0
  while (at < memory.length) {
    const addressEnd = at + HEADER + (memory[at + 3] ?? 0)
    const localEnd = addressEnd + (memory[at + 4] ?? 0)
    const start = localEnd + memory.readUInt16BE(at + 5)
    const end = start + memory.readUInt16BE(at + 7)
    const first = memory[at] ?? 0
    const listener = first & ~STRANGER
    const remote: Remote = {
      address: memory.toString('latin1', at + HEADER, addressEnd),
      port: memory.readUInt16BE(at + 1),
      local: localEnd === addressEnd ? undefined : memory.toString('latin1', addressEnd, localEnd),
      association:
        start === localEnd ? undefined : known.find(listener, memory.toString('utf8', localEnd, start)),
      isStranger: first >= STRANGER || undefined,
    }
    // a copy: one datagram that is kept for long must not keep all the others
    onPacked(listener, remote, new Uint8Array(memory.subarray(start, end)))
    at = end
  }
}

/** Whether that is a batch of so many datagrams: what comes from another machine is not taken apart before. */
export function isBatch(octets: Uint8Array, count: number): boolean {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length)
  let at = 0
  let found = 0
  while (at + HEADER <= octets.length) {
    if (view.getUint16(at + 5) > LONGEST_ASSOCIATION) return false // it is kept as long as others have not come
    at +=
      HEADER + view.getUint8(at + 3) + view.getUint8(at + 4) + view.getUint16(at + 5) + view.getUint16(at + 7)
    found += 1
  }
  return at === octets.length && found === count
}
