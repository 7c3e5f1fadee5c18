// A model of the durable store, and of what has to wait for it, in virtual time.

import type { PacketType } from '../../src/codec/v1/messages.ts'
import type { Effect } from '../../src/session/events.ts'
import type { QueuedMessage, Uplink } from '../../src/session/message.ts'
import {
  type LastingRecord,
  lastingRecord,
  type ProgressRecord,
  progressRecord,
  restoredUplink,
} from '../../src/session/record.ts'
import type { Session } from '../../src/session/session.ts'
import type { Stored } from '../../src/sessions/restore.ts'
import type { World } from './world.ts'

/** What is on disk of one session. */
interface Kept {
  lasting: LastingRecord
  progress: ProgressRecord
  readonly messages: Map<number, QueuedMessage>
  readonly uplinks: Map<number, Uplink>
}

type Write = Extract<
  Effect,
  {
    type: 'save' | 'saveProgress' | 'forget' | 'keepMessage' | 'dropMessage' | 'keepUplink' | 'dropUplink'
  }
>
type Lane = 'sensor' | 'broker'

const writes: ReadonlySet<Effect['type']> = new Set<Write['type']>([
  'save', 'saveProgress', 'forget', 'keepMessage', 'dropMessage', 'keepUplink', 'dropUplink',
]) // biome-ignore format: one line reads better
/** Whether the effect is one for the store. */
export const isWrite = (effect: Effect): effect is Write => writes.has(effect.type)
const forBroker: ReadonlySet<Effect['type']> = new Set<Effect['type']>([
  'connect', 'publish', 'release', 'subscribe', 'unsubscribe', 'acknowledge', 'close',
]) // biome-ignore format: one line reads better

function laneOf(effect: Effect): Lane | undefined {
  if (effect.type === 'send') return 'sensor'
  return forBroker.has(effect.type) ? 'broker' : undefined
}

/** Nobody relies on these. */
const harmless: ReadonlySet<PacketType> = new Set<PacketType>([
  'publish', 'pingresp', 'willtopicreq', 'willmsgreq',
]) // biome-ignore format: one line reads better

/** Whether somebody else may rely on it, so that what was written before it must be durable. */
function tells(effect: Effect): boolean {
  if (effect.type === 'send') {
    const { packet } = effect
    // by the MsgId of QoS 2 the sensor knows a repetition, so it must be the same after a crash
    return !harmless.has(packet.type) || (packet.type === 'publish' && packet.qos === 2)
  }
  if (effect.type === 'publish') return effect.qos === 2
  return effect.type === 'acknowledge' || effect.type === 'release'
}

const copy = <T>(value: T): T => structuredClone(value)

export class VirtualStore {
  /** milliseconds until a group of writes is begun, and again until it is durable; 0: all is durable at once */
  lag = 0
  readonly disk = new Map<string, Kept>()
  /** writes that count, of all kinds */
  writes = 0
  #life = 0
  #written = 0
  #durable = 0
  #busy = false
  #pending: Write[] = []
  /** what a session's others wait for: the last write that counts */
  readonly #marks = new Map<string, number>()
  #held: {
    readonly effect: Effect
    readonly clientId: string
    readonly lane: Lane
    readonly after: number
  }[] = []
  readonly #world: World
  readonly #release: (effect: Effect) => void

  constructor(world: World, release: (effect: Effect) => void) {
    this.#world = world
    this.#release = release
  }

  /** Whether the effect has to wait; it is performed in its turn then. */
  holds(effect: Effect): boolean {
    const lane = laneOf(effect)
    if (lane === undefined || !('session' in effect) || effect.session === undefined) return false
    const { clientId } = effect.session
    const mark = this.#marks.get(clientId) ?? 0
    const after = mark > this.#durable && tells(effect) ? mark : 0
    if (after === 0 && !this.#held.some((one) => one.clientId === clientId && one.lane === lane)) return false
    this.#held.push({ effect, clientId, lane, after })
    return true
  }

  /** Takes an effect that writes. */
  perform(effect: Effect): void {
    if (!isWrite(effect)) return
    this.writes += 1
    if (this.lag === 0) return this.#apply(effect)()
    this.#written += 1
    this.#pending.push(effect)
    const isLazy = effect.type === 'dropMessage' || (effect.type === 'saveProgress' && effect.lazy)
    if (!isLazy) this.#marks.set(effect.session.clientId, this.#written)
    this.#plan()
  }

  /** A connection is gone: what waits for it has no meaning any more. */
  connectionLost(session: Session): void {
    this.#held = this.#held.filter(
      ({ effect, lane }) =>
        lane === 'sensor' || !('session' in effect) || effect.session !== session || !tells(effect),
    )
  }

  /** The process is gone: what is not on disk is lost. */
  crash(): void {
    this.#life += 1
    this.#busy = false
    this.#pending = []
    this.#held = []
    this.#marks.clear()
    this.#durable = this.#written
  }

  /** All that is on disk. */
  load(): Stored[] {
    return [...this.disk.values()].map(({ lasting, progress, messages, uplinks }) => ({
      record: copy({ lasting, progress }),
      messages: copy([...messages.values()].sort((a, b) => a.id - b.id)),
      uplinks: copy([...uplinks.values()].sort((a, b) => a.token - b.token)).map(restoredUplink),
    }))
  }

  #plan(): void {
    if (this.#busy || this.#pending.length === 0) return
    this.#busy = true
    this.#later(() => {
      const upTo = this.#written
      const steps = this.#pending.splice(0).map((effect) => this.#apply(effect)) // as it is at this moment
      this.#later(() => {
        for (const step of steps) step()
        this.#durable = upTo
        this.#busy = false
        this.#plan()
        this.#drain()
      })
    })
  }

  #later(run: () => void): void {
    const life = this.#life
    this.#world.after(this.lag, () => {
      if (life === this.#life) run()
    })
  }

  #drain(): void {
    const blocked = new Set<string>()
    const due: Effect[] = []
    this.#held = this.#held.filter(({ effect, clientId, lane, after }) => {
      const name = `${lane} ${clientId}`
      if (after > this.#durable) blocked.add(name)
      if (blocked.has(name)) return true
      due.push(effect)
      return false
    })
    for (const effect of due) this.#release(effect)
  }

  /** What the write does to the disk, with its values as they are now. */
  #apply(effect: Write): () => void {
    const { clientId } = effect.session
    const { disk } = this
    switch (effect.type) {
      case 'save':
      case 'saveProgress': {
        const lasting = copy(lastingRecord(effect.session))
        const progress = copy(progressRecord(effect.session, (time) => time))
        const all = effect.type === 'save'
        return () => {
          const kept = disk.get(clientId)
          if (kept === undefined)
            disk.set(clientId, { lasting, progress, messages: new Map(), uplinks: new Map() })
          else Object.assign(kept, all ? { lasting, progress } : { progress })
        }
      }
      case 'forget':
        return () => void disk.delete(clientId)
      case 'keepMessage': {
        const message = copy(effect.message)
        return () => void disk.get(clientId)?.messages.set(message.id, message)
      }
      case 'dropMessage':
        return () => void disk.get(clientId)?.messages.delete(effect.message.id)
      case 'keepUplink': {
        const uplink = copy(effect.uplink)
        return () => void disk.get(clientId)?.uplinks.set(uplink.token, uplink)
      }
      case 'dropUplink':
        return () => void disk.get(clientId)?.uplinks.delete(effect.uplink.token)
    }
  }
}
