// What the gateway tells without being asked: one event stream for the whole page, opened again whenever it breaks.

import { api } from './api.js'
import { History } from './history.js'

/** State changes that are kept for "what happened lately". */
const MOST_CHANGES = 300
const PAUSES = [500, 1000, 2000, 4000, 8000]
/** The gateway speaks every second; after so much silence the connection counts as dead. */
const SILENCE = 8000

/**
 * Events: `update` (a second has passed, or the status changed), `change` (detail: a sensor's StateChange), `packet` (detail:
 * a datagram of the watched sensor), `streaming` (its datagrams come from now on), `status`.
 */
export class Live extends EventTarget {
  info
  broker
  listeners
  /** `connecting` at first, `live`, or `away` with the reason in `problem` */
  status = 'connecting'
  problem
  /** when the last word came, milliseconds */
  heardAt
  /** when the next attempt is made, while it is away */
  retryAt
  /** the last state changes, newest first */
  changes = []
  history = new History()
  #source
  #watched
  #attempts = 0
  #retry
  #watchdog

  start() {
    this.changes = this.history.load()
    addEventListener('pagehide', () => this.history.save(this.changes))
    this.#open()
    this.#poll()
    setInterval(() => this.#poll(), 2000)
  }

  /** Watches the datagrams of one sensor, or of none. */
  watch(clientId) {
    if (this.#watched === clientId) return
    this.#watched = clientId
    this.#open()
  }

  /** Tries again now. */
  retry() {
    this.#attempts = 0
    this.#open()
  }

  /** What happened within the last minutes, for the checks of the overview. */
  recent() {
    const since = Date.now() - 300_000
    return {
      drops: this.history.drops(),
      datagrams: this.history.volume('received', 60),
      refused: this.history.growth('refused', 300),
      kernelDrops: this.history.growth('kernelDrops', 300),
      lost: this.changes.filter(({ to, at }) => to === 'lost' && at > since).length,
    }
  }

  #open() {
    clearTimeout(this.#retry)
    this.#source?.close()
    const query = this.#watched === undefined ? '' : `?sensor=${encodeURIComponent(this.#watched)}`
    const source = new EventSource(`/api/events${query}`)
    this.#source = source
    const on = (type, listener) =>
      source.addEventListener(type, (event) => {
        if (source !== this.#source) return
        this.#hear()
        listener(JSON.parse(event.data))
      })
    source.addEventListener('open', () => {
      if (source !== this.#source) return
      this.#hear()
      if (this.#watched !== undefined) this.#tell('streaming')
    })
    source.addEventListener('error', () => source === this.#source && this.#fail())
    on('gateway', (info) => {
      this.info = info
      this.history.add(info, this.broker, this.listeners, Date.now())
      this.#tell('update')
    })
    on('state', (change) => {
      this.history.countChange()
      this.changes.unshift(change)
      if (this.changes.length > MOST_CHANGES) this.changes.pop()
      this.#tell('change', change)
    })
    on('packet', (packet) => this.#tell('packet', packet))
    this.#guard()
  }

  #guard() {
    clearTimeout(this.#watchdog)
    this.#watchdog = setTimeout(() => this.#fail(), SILENCE)
  }

  #hear() {
    this.heardAt = Date.now()
    this.#attempts = 0
    this.#guard()
    if (this.status === 'live') return
    this.#become('live')
    this.#poll()
    this.#fill()
  }

  #fail() {
    this.#source?.close()
    clearTimeout(this.#watchdog)
    const pause = PAUSES[Math.min(this.#attempts, PAUSES.length - 1)] * (0.75 + Math.random() / 2)
    this.#attempts += 1
    this.retryAt = Date.now() + pause
    this.#retry = setTimeout(() => this.#open(), pause)
    // An event stream does not tell why it failed; a plain request does.
    api.gateway().then(
      () => this.#become('away', undefined),
      (error) => this.#become('away', error),
    )
  }

  #become(status, problem) {
    this.status = status
    this.problem = problem
    this.#tell('status')
    this.#tell('update')
  }

  /** What the stream does not carry. */
  async #poll() {
    if (this.status === 'away') return // the attempts of #fail do that
    try {
      const [info, broker, listeners] = await Promise.all([api.gateway(), api.broker(), api.listeners()])
      this.info ??= info
      this.broker = broker
      this.listeners = listeners
      this.#tell('update')
    } catch (error) {
      if (this.status === 'connecting') this.#become('away', error)
    }
  }

  /** The plots begin with what the gateway remembers, at first and after every gap. */
  async #fill() {
    try {
      this.history.fill(await api.history(), Date.now())
      this.#tell('update')
    } catch {
      // then they begin with what comes from now on
    }
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }))
  }
}
