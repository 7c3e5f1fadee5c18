// What nodes tell each other over a link besides datagrams. Whatever comes from there is looked at before it is believed.

import type { PeerKey } from '../../session/peers.ts'
import { SLOTS } from '../../sessions/slots.ts'

/** Where a sensor is: an address and its slot. */
export type Place = readonly [key: PeerKey, slot: number]

/** `age`: see `Answer`; null: longer than can be told. */
export type KnownPlace = readonly [key: PeerKey, slot: number, age: number | null]

export type LinkMessage =
  /** whose are these addresses? */
  | { readonly type: 'whose'; readonly id: number; readonly keys: readonly PeerKey[] }
  /** the answer; `serves`: the slots that are served with all their addresses, a bit each, in hexadecimal digits */
  | {
      readonly type: 'mine'
      readonly id: number
      readonly known: readonly KnownPlace[]
      readonly serves: string
    }
  /** sensors that came through the node that is told have their places here now */
  | { readonly type: 'bound'; readonly places: readonly Place[] }
  /** no sensor is known here at these addresses, which the node that is told has thought */
  | { readonly type: 'unknown'; readonly keys: readonly PeerKey[] }
  /** another sensor is at this address by now */
  | { readonly type: 'displaced'; readonly key: PeerKey }
  /** sensors of this node use these sessions of DTLS, which the node that is told has */
  | { readonly type: 'used'; readonly keys: readonly PeerKey[] }
  /** the table of owners has changed */
  | { readonly type: 'look' }

/** Addresses in one message. */
const MOST = 4096
const LONGEST_KEY = 1024

const isKey = (value: unknown): value is PeerKey =>
  typeof value === 'string' ? value.length <= LONGEST_KEY : Number.isSafeInteger(value)
const isSlot = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < SLOTS
const isId = (value: unknown): value is number => Number.isSafeInteger(value)

function isListOf<T>(value: unknown, is: (one: unknown) => one is T): value is readonly T[] {
  return Array.isArray(value) && value.length <= MOST && value.every(is)
}

const isPlace = (value: unknown): value is Place =>
  Array.isArray(value) && value.length === 2 && isKey(value[0]) && isSlot(value[1])
const isAge = (value: unknown): value is number | null =>
  value === null || (typeof value === 'number' && value >= 0)
const isKnown = (value: unknown): value is KnownPlace =>
  Array.isArray(value) && value.length === 3 && isKey(value[0]) && isSlot(value[1]) && isAge(value[2])

/** The message that was received; undefined if it is none. */
export function readLinkMessage(value: unknown): LinkMessage | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { type, id, keys, known, serves, places, key } = value as Record<string, unknown>
  if (type === 'whose' && isId(id) && isListOf(keys, isKey)) return { type, id, keys }
  if (type === 'mine' && isId(id) && isListOf(known, isKnown) && isBits(serves))
    return { type, id, known, serves }
  if (type === 'bound' && isListOf(places, isPlace)) return { type, places }
  if ((type === 'unknown' || type === 'used') && isListOf(keys, isKey)) return { type, keys }
  if (type === 'displaced' && isKey(key)) return { type, key }
  if (type === 'look') return { type }
  return undefined
}

const DIGITS = SLOTS / 4
const isBits = (value: unknown): value is string =>
  typeof value === 'string' && value.length === DIGITS && /^[0-9a-f]*$/.test(value)

/** Slots as text, four in each digit. */
export function writeSlots(has: (slot: number) => boolean): string {
  let text = ''
  for (let slot = 0; slot < SLOTS; slot += 4) {
    let digit = 0
    for (let i = 0; i < 4; i++) if (has(slot + i)) digit |= 1 << i
    text += digit.toString(16)
  }
  return text
}

/** Whether a slot is in that text. */
export const hasSlot = (text: string, slot: number): boolean =>
  (Number.parseInt(text[slot >> 2] ?? '0', 16) & (1 << (slot & 3))) !== 0
