// A model of the durable store in virtual time: what is written is on disk a little later, in groups.

import type { Effect } from '../../src/session/events.ts'
import type { QueuedMessage, Uplink } from '../../src/session/message.ts'
import {
  type LastingRecord,
  lastingRecord,
  type ProgressRecord,
  progressRecord,
} from '../../src/session/record.ts'
import { partInMemory, restoredUplink } from '../../src/session/uplink/record.ts'
import type { Stored } from '../../src/sessions/restore.ts'
import type { Store } from '../../src/store/store.ts'
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
const writes: ReadonlySet<Effect['type']> = new Set<Write['type']>([
  'save', 'saveProgress', 'forget', 'keepMessage', 'dropMessage', 'keepUplink', 'dropUplink',
]) // biome-ignore format: one line reads better
/** Whether the effect is one for the store. */
export const isWrite = (effect: Effect): effect is Write => writes.has(effect.type)

const copy = <T>(value: T): T => structuredClone(value)

/** Tells a commit gate what is durable, as a store does. */
export class VirtualStore
  implements Pick<Store, 'written' | 'durable' | 'onDurable' | 'isFailing' | 'isShared'>
{
  /** milliseconds until a group of writes is begun, and again until it is durable; 0: all is durable at once */
  lag = 0
  /** it has to fetch what it is asked for, and has it when it is asked again */
  fetches = false
  readonly #fetched = new Set<string>()
  /** it is a server, which others may have */
  isShared = false
  /** it cannot write: nothing more becomes durable until it can */
  isFailing = false
  readonly disk = new Map<string, Kept>()
  /** writes of all kinds */
  writes = 0
  written = 0
  durable = 0
  #life = 0
  #busy = false
  #pending: Write[] = []
  #writing: Write[] = []
  #waiting: { readonly upTo: number; readonly done: () => void }[] = []
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  /** Takes an effect that writes. */
  perform(effect: Effect): void {
    if (!isWrite(effect)) return
    this.writes += 1
    if (this.lag === 0 && !this.isFailing) return this.#apply(effect)()
    this.written += 1
    this.#pending.push(effect)
    this.#plan()
  }

  onDurable(done: () => void): void {
    this.#waiting.push({ upTo: this.written, done })
  }

  /** It can write again, and writes what it could not. */
  mend(): void {
    this.isFailing = false
    this.#plan()
  }

  /** The process is gone: what is not on disk is lost. */
  crash(): void {
    this.#life += 1
    this.#busy = false
    this.#pending = []
    this.#writing = []
    this.#waiting = []
    this.durable = this.written
  }

  /** All that is on disk. */
  load(): Stored[] {
    return [...this.disk.values()].map(({ lasting, progress, messages, uplinks }) => ({
      record: copy({ lasting, progress }),
      messages: copy([...messages.values()].sort((a, b) => a.id - b.id)),
      uplinks: copy([...uplinks.values()].sort((a, b) => a.token - b.token)).map(
        (uplink) => partInMemory(uplink) ?? restoredUplink(uplink),
      ),
    }))
  }

  /** The payload of a publish on disk, as text. */
  contentsOf(clientId: string, token: number): string | undefined {
    const found = this.disk.get(clientId)?.uplinks.get(token)
    return found && new TextDecoder().decode(found.data)
  }

  /** What was kept last, as a store gives it: on disk or still pending. */
  readUplink(clientId: string, token: number): Uplink | 'gone' | 'soon' {
    const name = `${token} ${clientId}`
    if (this.fetches && !this.#fetched.delete(name)) {
      this.#fetched.add(name)
      return 'soon'
    }
    let found = this.disk.get(clientId)?.uplinks.get(token)
    for (const effect of [...this.#writing, ...this.#pending]) {
      if (
        effect.type === 'keepUplink' &&
        effect.session.clientId === clientId &&
        effect.uplink.token === token
      )
        found = effect.uplink
    }
    return found === undefined ? 'gone' : restoredUplink(copy(found))
  }

  #plan(): void {
    if (this.#busy || this.isFailing || this.#pending.length === 0) return
    this.#busy = true
    this.#later(() => {
      const upTo = this.written
      this.#writing = this.#pending.splice(0)
      const steps = this.#writing.map((effect) => this.#apply(effect)) // as it is at this moment
      this.#later(() => {
        for (const step of steps) step()
        this.#writing = []
        this.durable = upTo
        this.#busy = false
        this.#plan()
        const later = this.#waiting.findIndex((one) => one.upTo > upTo)
        const due = this.#waiting.splice(0, later < 0 ? this.#waiting.length : later)
        for (const { done } of due) done()
      })
    })
  }

  #later(run: () => void): void {
    const life = this.#life
    this.#world.after(this.lag, () => {
      if (life === this.#life) run()
    })
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
