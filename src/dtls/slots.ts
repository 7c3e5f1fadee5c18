// Sessions that several servers share: each serves the sessions of some slots, and whoever gets a record finds the slot in it. Numbers
// of such sessions tell their slots, too.

/** How many there are. */
const SLOTS = 1024

/** Numbers below were counted by a server that shared with nobody. */
const FIRST = 2 ** 47

/** Octets of a connection id that has a slot in it, at least: 22 bits tell the sessions of a slot apart. */
export const SHORTEST_SHARED_ID = 4

/** Where a session that begins has its place. */
export interface Place {
  readonly slot: number
  /** of the session, see `numberInSlot` */
  readonly number: number
}

/** The number of the session that is the `count`th of its slot, below 2 ** 48. */
export const numberInSlot = (slot: number, count: number): number => FIRST + count * SLOTS + slot

/** The slot of a session; undefined: it belongs to a server that shares with nobody. */
export const slotOfNumber = (session: number): number | undefined =>
  session < FIRST ? undefined : session % SLOTS

/** Writes a slot into the first ten bits of a connection id. */
export function writeSlot(connectionId: Uint8Array, slot: number): void {
  connectionId[0] = slot >> 2
  connectionId[1] = ((slot & 3) << 6) | ((connectionId[1] ?? 0) & 0x3f)
}

const TYPE_CID = 25
const [EPOCH_AT, CID_AT] = [3, 11]

/** The slot that the first record of a datagram names; undefined: it has no connection id. */
export function slotInDatagram(datagram: Uint8Array): number | undefined {
  if (datagram[0] !== TYPE_CID || datagram.length < CID_AT + 2) return undefined
  return ((datagram[CID_AT] ?? 0) << 2) | ((datagram[CID_AT + 1] ?? 0) >> 6)
}

/** Whether a datagram begins with a part of a handshake that is not protected yet. */
export const beginsInPlain = (datagram: Uint8Array): boolean =>
  datagram[0] !== TYPE_CID && datagram[EPOCH_AT] === 0 && datagram[EPOCH_AT + 1] === 0
