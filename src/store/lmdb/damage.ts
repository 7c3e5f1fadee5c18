// Checks an LMDB data file before it is mapped. LMDB does not check it: a page number that points beyond the end, or to another
// kind of page, would end the process by a signal. What is read here is the data format 2 of 64-bit little-endian machines.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { endianness } from 'node:os'

const HEADER = 24 // octets of a page header: number (8), transaction (8), pad (2), flags (2), lower (2), upper (2)
const META = 160
const MAGIC = 0xbeefc0de
const FREE = 24 // where a meta page describes the tree that lists free pages
const TREES = [FREE, 72] as const // that one, and the main tree
const BRANCH = 1
const LEAF = 2
const OVERFLOW = 4
const LARGEST = 0x100000000 // pages; far beyond any store
const BIG = 1 // a value on pages of its own

class Damage extends Error {}

function insist(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Damage(otherwise)
}

/** Whether the layout of data files is known here; on other machines there is nothing to look through. */
const known = endianness() === 'LE' && ['x64', 'arm64', 'loong64', 'riscv64'].includes(process.arch)

/** What is wrong with a data file, in a few words; undefined if nothing is. A missing or empty file has nothing wrong. */
export function damageOf(path: string): string | undefined {
  if (!known) return undefined
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    if (size > 0) new Inspection(file, size).run()
    return undefined
  } catch (error) {
    if (error instanceof Damage) return error.message
    throw error
  } finally {
    closeSync(file)
  }
}

class Inspection {
  readonly #file: number
  readonly #size: number
  readonly #seen = new Set<number>()
  #pageSize = 0

  constructor(file: number, size: number) {
    this.#file = file
    this.#size = size
  }

  run(): void {
    const first = this.#read(0, HEADER + META)
    insist(first.readUInt32LE(HEADER) === MAGIC, 'it is no LMDB file')
    if (first.readUInt32LE(HEADER + 4) !== 2) return // LMDB itself refuses another version of the format
    this.#pageSize = first.readUInt32LE(HEADER + FREE)
    insist(
      [0x1000, 0x2000, 0x4000, 0x8000, 0x10000].includes(this.#pageSize),
      'its first page makes no sense',
    )
    const second = this.#read(this.#pageSize, HEADER + META)
    insist(second.readUInt32LE(HEADER) === MAGIC, 'its second page makes no sense')
    // the two take turns; the later one counts
    const meta = first.readBigUInt64LE(HEADER + 128) < second.readBigUInt64LE(HEADER + 128) ? second : first
    const lists: Buffer[] = []
    for (const tree of TREES) {
      const depth = meta.readUInt16LE(HEADER + tree + 6)
      const root = meta.readBigUInt64LE(HEADER + tree + 40)
      if (root === 0xffffffffffffffffn) continue // empty
      insist(depth >= 1 && depth <= 32, 'a tree has an impossible depth')
      this.#walk(Number(root), depth, tree === FREE ? lists : undefined)
    }
    for (const list of lists) this.#takeFree(list)
  }

  #read(position: number, octets: number): Buffer {
    insist(position + octets <= this.#size, `it is cut off after ${this.#size} octets`)
    const buffer = Buffer.allocUnsafe(octets)
    const count = readSync(this.#file, buffer, 0, octets, position)
    insist(count === octets, `it is cut off after ${position + count} octets`)
    return buffer
  }

  /** Pages that must not have another purpose. */
  #take(number: number, count: number): void {
    for (let page = number; page < number + count; page++) {
      insist(page >= 2 && !this.#seen.has(page), `page ${page} is used twice`)
      this.#seen.add(page)
    }
  }

  /** The first of `count` pages, as far as wanted. */
  #page(number: number, count: number, kind: number, octets: number): Buffer {
    insist((number + count) * this.#pageSize <= this.#size, `it is cut off after ${this.#size} octets`)
    this.#take(number, count)
    const page = this.#read(number * this.#pageSize, octets)
    insist(
      page.readBigUInt64LE(0) === BigInt(number) && (page.readUInt16LE(18) & 0x2f) === kind,
      `page ${number} is something else`,
    )
    return page
  }

  /** A list of free pages: its length, then page numbers; a negative number before one says how many follow each other. */
  #takeFree(list: Buffer): void {
    const broken = 'a list of free pages is broken'
    const entry = (index: number): number => {
      insist(index * 8 + 8 <= list.length, broken)
      return Number(list.readBigInt64LE(index * 8))
    }
    const length = entry(0)
    let count = 1
    for (let index = 1; index <= length; index++) {
      const number = entry(index)
      insist(number > -LARGEST && number < LARGEST && count < this.#size, broken)
      if (number > 0) this.#take(number, count)
      count = number < 0 ? -number : 1
    }
  }

  /** @param lists where the values of this tree go */
  #walk(number: number, depth: number, lists: Buffer[] | undefined): void {
    const page = this.#page(number, 1, depth > 1 ? BRANCH : LEAF, this.#pageSize)
    const lower = page.readUInt16LE(20)
    const upper = page.readUInt16LE(22)
    const broken = `page ${number} is broken`
    insist(lower % 2 === 0 && lower <= upper && HEADER + upper <= this.#pageSize, broken)
    insist(lower > (depth > 1 ? 2 : 0), broken) // LMDB leaves no page empty, no branch with one twig
    for (let slot = 0; slot < lower; slot += 2) {
      const offset = page.readUInt16LE(HEADER + slot)
      const node = HEADER + offset
      insist(offset >= upper && node + 8 <= this.#pageSize, broken)
      const low = page.readUInt32LE(node)
      const flags = page.readUInt16LE(node + 4)
      const value = node + 8 + page.readUInt16LE(node + 6)
      if (depth > 1) {
        insist(value <= this.#pageSize, broken)
        this.#walk(low + flags * 0x100000000, depth - 1, lists)
      } else if (flags === BIG) {
        insist(value + 8 <= this.#pageSize, broken)
        const count = Math.floor((HEADER - 1 + low) / this.#pageSize) + 1
        const octets = lists === undefined ? HEADER : HEADER + low
        const big = this.#page(Number(page.readBigUInt64LE(value)), count, OVERFLOW, octets)
        lists?.push(big.subarray(HEADER))
      } else {
        insist(flags === 0 && value + low <= this.#pageSize, broken)
        lists?.push(page.subarray(value, value + low))
      }
    }
  }
}
