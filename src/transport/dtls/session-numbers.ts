// Numbers of sessions: sensors in the store are known by them, and none is given twice, whatever process gives them.

import { numberInSlot } from '../../dtls/slots.ts'
import type { AsideStore } from '../secure-link.ts'
import { isCount, numbersName } from './session-records.ts'

/** Numbers that are set aside at once, and how many must be left of them. */
export interface NumberBlock {
  readonly size: number
  readonly least: number
}

/** For sessions of a whole listener. */
const LARGE: NumberBlock = { size: 2 ** 20, least: 2 ** 16 }

/** The first number that no earlier process has given, by the record of them. */
export function firstNumber(record: unknown): number {
  const { next }: { next?: unknown } = Object(record)
  return isCount(next) ? next : 1
}

/**
 * Numbers of sessions, none of which an earlier process has given: sensors in the store are known by them, and somebody else
 * must not be taken for one of them.
 */
export class FreshNumbers {
  readonly first: number
  readonly #store: Pick<AsideStore, 'keepAside'>
  readonly #name: string
  readonly #block: NumberBlock
  #end = 0

  /** `name`: of their record, in which `first` was found */
  constructor(store: Pick<AsideStore, 'keepAside'>, name: string, first: number, block = LARGE) {
    this.#store = store
    this.#name = name
    this.#block = block
    this.first = first
    this.note(first)
  }

  /** This number is in use. */
  note(number: number): void {
    const { size, least } = this.#block
    if (number + least < this.#end) return
    const next = number + size
    this.#end = next
    this.#store.keepAside(this.#name, () => ({ next }))
  }
}

/** For those of one slot, which is taken up often. */
const SMALL: NumberBlock = { size: 2 ** 12, least: 2 ** 8 }

/**
 * Whoever has a slot begins somewhere within so many numbers: the one before may have given some before their record was on the disk, and a
 * sensor that is stored by then must not be taken for another one. With a new beginning every hour they last for thirty years.
 */
const LEAP = 2 ** 20

/** Numbers of sessions that are shared: each slot has its own, which go with it. */
export class SlotNumbers {
  readonly #store: Pick<AsideStore, 'keepAside' | 'nameInSlot'>
  readonly #name: string
  readonly #first = new Map<number, number>()
  readonly #drawn = new Map<number, { next: number; readonly fresh: FreshNumbers }>()

  readonly #chance: () => number

  /** `chance`: from 0 to 1 */
  constructor(
    store: Pick<AsideStore, 'keepAside' | 'nameInSlot'>,
    listener: string,
    chance: () => number = Math.random,
  ) {
    this.#store = store
    this.#chance = chance
    this.#name = numbersName(listener)
  }

  /** A slot is here, with this record of its numbers, if there is one. */
  takeUp(slot: number, record: unknown): void {
    this.#first.set(slot, firstNumber(record) + Math.floor(this.#chance() * LEAP))
    this.#drawn.delete(slot)
  }

  letGo(slot: number): void {
    this.#first.delete(slot)
    this.#drawn.delete(slot)
  }

  /** The next number in a slot; undefined: it is not here. */
  draw(slot: number): number | undefined {
    const first = this.#first.get(slot)
    if (first === undefined) return undefined
    const drawn = this.#drawn.get(slot) ?? {
      next: first,
      fresh: new FreshNumbers(this.#store, this.#store.nameInSlot(slot, this.#name), first, SMALL),
    }
    this.#drawn.set(slot, drawn)
    const count = drawn.next++
    drawn.fresh.note(count)
    return numberInSlot(slot, count)
  }
}
