// A queue that serves sources in turn once much waits, so that one of them cannot make all others wait. What comes from one
// source keeps its order.

/** Something that waits, and the address it came from. */
interface Sourced {
  readonly remote: { readonly address: string }
}

interface Source<T> {
  readonly address: string
  readonly items: T[]
  /** those before it are taken */
  head: number
}

export interface FairQueue<T> {
  /** Appends; `divideAfter`: so many may wait in plain order of arrival. */
  push(item: T, divideAfter: number): void
  /** Takes the next one in turn. */
  shift(): T | undefined
  /** how many of this source wait; not known, so Infinity, while all wait in plain order */
  countOf(address: string): number
  readonly length: number
}

/** An empty queue. */
export function createFairQueue<T extends Sourced>(): FairQueue<T> {
  /** in order of arrival; those before `head` are taken. What came later and is divided by source waits for it. */
  let plain: T[] = []
  let head = 0
  const sources = new Map<string, Source<T>>()
  /** sources in the order in which they are served; those before `turn` were */
  let ring: Source<T>[] = []
  let turn = 0
  let divided = 0
  /** the source of the last one: many come from one address after another */
  let last: Source<T> | undefined

  function sourceOf(address: string): Source<T> | undefined {
    if (divided === 0) return undefined
    return last?.address === address ? last : sources.get(address)
  }

  function shiftPlain(): T | undefined {
    const item = plain[head]
    head += 1
    if (head === plain.length || head >= 256) {
      plain = plain.slice(head)
      head = 0
    }
    return item
  }

  function shiftDivided(): T | undefined {
    const source = ring[turn]
    const item = source?.items[source.head]
    if (source === undefined) return undefined
    divided -= 1
    source.head += 1
    if (source.head === source.items.length) {
      sources.delete(source.address)
      if (last === source) last = undefined
    } else {
      if (source.head >= 256) source.items.splice(0, source.head)
      source.head %= 256
      ring.push(source)
    }
    turn += 1
    if (turn === ring.length || turn >= 256) {
      ring = ring.slice(turn)
      turn = 0
    }
    return item
  }

  return {
    push(item, divideAfter) {
      if (divided === 0 && plain.length - head < divideAfter) {
        plain.push(item)
        return
      }
      const { address } = item.remote
      let source = sourceOf(address)
      if (source === undefined) {
        source = { address, items: [], head: 0 }
        sources.set(address, source)
        ring.push(source)
      }
      source.items.push(item)
      last = source
      divided += 1
    },
    shift: () => (head < plain.length ? shiftPlain() : shiftDivided()),
    countOf(address) {
      if (divided === 0) return Number.POSITIVE_INFINITY
      const source = sourceOf(address)
      return source === undefined ? 0 : source.items.length - source.head
    },
    get length() {
      return plain.length - head + divided
    },
  }
}
