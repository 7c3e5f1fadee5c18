// The store in memory, which is lost at the end of the process. No write has to be waited for.

import { toMonotonicNow, toWallNow } from '../clock.ts'
import type { QueuedMessage, Uplink } from '../session/message.ts'
import { lastingRecord, progressRecord } from '../session/record.ts'
import type { Session } from '../session/session.ts'
import { partInMemory, restoredUplink } from '../session/uplink/record.ts'
import { nameInSlot } from './asides.ts'
import { Pace } from './pace.ts'
import type { SlotOf, Store, StoredSession } from './store.ts'

interface Kept {
  session: Session
  /** made when first needed: most sensors never have any */
  messages: Map<number, QueuedMessage> | undefined
  uplinks: Map<number, Uplink> | undefined
}

const inOneSlot: SlotOf = () => 0

const storedSession = ({ session, messages, uplinks }: Kept): StoredSession => ({
  record: { lasting: lastingRecord(session), progress: progressRecord(session, toWallNow()) },
  messages: [...(messages?.values() ?? [])].sort((a, b) => a.id - b.id),
  uplinks: [...(uplinks?.values() ?? [])]
    .map((uplink) => partInMemory(uplink) ?? restoredUplink(uplink))
    .sort((a, b) => a.token - b.token),
})

/** Sessions in memory. A gateway that is stopped and started again in the same process finds them. */
export function createMemoryStore({ slotOf = inOneSlot }: { slotOf?: SlotOf | undefined } = {}): Store {
  const kept = new Map<string, Kept>()
  let written = 0

  function save(session: Session): void {
    written++
    const known = kept.get(session.clientId)
    if (known !== undefined) known.session = session
    else kept.set(session.clientId, { session, messages: undefined, uplinks: undefined })
  }

  function change(clientId: string, apply: (kept: Kept) => void): void {
    written++
    const known = kept.get(clientId)
    if (known !== undefined) apply(known)
  }

  return {
    async *load(slots) {
      const pace = new Pace()
      let piece: StoredSession[] = []
      for (const [clientId, one] of [...kept]) {
        if (slots?.has(slotOf(clientId)) === false) continue
        piece.push(storedSession(one))
        if (!pace.isOver()) continue
        yield piece
        piece = []
        await pace.next()
      }
      if (piece.length > 0) yield piece
    },
    release: async () => {}, // what is known here is all that there is
    onDeposed: () => {},
    // within one process nothing is unknown
    time: { toMonotonic: (stored) => toMonotonicNow()(stored), knownSince: Number.NEGATIVE_INFINITY },
    save,
    saveProgress: save,
    forget(clientId) {
      written++
      kept.delete(clientId)
    },
    keepMessage(clientId, message) {
      change(clientId, (one) => {
        one.messages ??= new Map()
        one.messages.set(message.id, message)
      })
    },
    dropMessage: (clientId, id) => change(clientId, ({ messages }) => messages?.delete(id)),
    keepUplink(clientId, uplink) {
      change(clientId, (one) => {
        one.uplinks ??= new Map()
        one.uplinks.set(uplink.token, uplink)
      })
    },
    dropUplink: (clientId, token) => change(clientId, ({ uplinks }) => uplinks?.delete(token)),
    readUplink(clientId, token) {
      const uplinks = kept.get(clientId)?.uplinks
      const found = uplinks?.get(token)
      if (found === undefined) return 'gone'
      const restored = restoredUplink(found)
      uplinks?.set(token, restored) // what becomes of it is seen here
      return restored
    },
    asides: new Map(),
    loadAsides: async () => [],
    nameInSlot,
    keepAside: () => {}, // nothing beside sessions outlives the process
    get written() {
      return written
    },
    get durable() {
      return written
    },
    onDurable: (done) => process.nextTick(done),
    isShared: false,
    isFailing: false,
    health: { error: undefined, groups: 0, seconds: 0, octets: 0 },
    close: async () => {},
  }
}
