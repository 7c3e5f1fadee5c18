// What a shared connection keeps beyond the process, under its ClientId: identifiers of QoS 2 exchanges in both directions, and the
// filters that the broker knows. What cannot be read counts as absent.

import type { SharedRecords } from './contract.ts'
import type { ExchangeRecord } from './routing/exchanges.ts'

/** A QoS 2 message of the broker that was taken; `clientIds`: by whom, where not all subscribers get it. */
export interface TakenRecord {
  readonly number: number
  readonly clientIds?: readonly string[] | undefined
}

/** A filter that the broker knows. */
export interface FilterRecord {
  readonly filter: string
  readonly qos: 0 | 1 | 2
}

/** All that is kept of one connection. */
export interface ConnectionRecords {
  readonly exchanges: readonly (readonly [ordinal: number, record: ExchangeRecord])[]
  readonly taken: readonly (readonly [packetId: number, record: TakenRecord])[]
  readonly filters: readonly (readonly [ordinal: number, record: FilterRecord])[]
}

type Kind = 'out' | 'in' | 'filter'

const nameOf = (clientId: string, kind: Kind, number: number): string =>
  `shared ${kind} ${number} ${clientId}`
const sessionName = (clientId: string): string => `shared session 0 ${clientId}`

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0
const isQos = (value: unknown): value is 0 | 1 | 2 => value === 0 || value === 1 || value === 2
const isText = (value: unknown): value is string => typeof value === 'string'

/** Takes a name apart; undefined for records of others. */
function partsOf(name: string): { kind: string; number: number; clientId: string } | undefined {
  const [, kind = '', number, clientId] = /^shared (out|in|filter|session) (\d+) (.*)$/s.exec(name) ?? []
  return clientId === undefined ? undefined : { kind, number: Number(number), clientId }
}

/** ClientIds that have records, or a session at the broker. */
export const connectionsIn = ({ loaded }: SharedRecords): ReadonlySet<string> =>
  new Set([...loaded.keys()].flatMap((name) => partsOf(name)?.clientId ?? []))

/** What an earlier process has left of one connection; undefined: there was none, and what the broker has is not its own. */
export function readRecords({ loaded }: SharedRecords, clientId: string): ConnectionRecords | undefined {
  if (!loaded.has(sessionName(clientId))) return undefined
  const exchanges: [number, ExchangeRecord][] = []
  const taken: [number, TakenRecord][] = []
  const filters: [number, FilterRecord][] = []
  for (const [name, value] of loaded) {
    const parts = partsOf(name)
    if (parts?.clientId !== clientId) continue
    const of: { readonly [field: string]: unknown } = Object(value)
    const { number } = parts
    if (parts.kind === 'out' && isCount(of['packetId'])) {
      const owner =
        isText(of['clientId']) && isCount(of['token']) ? { clientId: of['clientId'], token: of['token'] } : {}
      exchanges.push([number, { packetId: of['packetId'], ...owner }])
    } else if (parts.kind === 'in' && isCount(of['number'])) {
      const clientIds = Array.isArray(of['clientIds']) ? of['clientIds'].filter(isText) : undefined
      taken.push([number, { number: of['number'], clientIds }])
    } else if (parts.kind === 'filter' && isText(of['filter']) && isQos(of['qos'])) {
      filters.push([number, { filter: of['filter'], qos: of['qos'] }])
    }
  }
  return { exchanges, taken, filters }
}

/** Deletes all that is kept of a connection that is not used any more. */
export function dropRecords(records: SharedRecords, clientId: string): void {
  for (const name of records.loaded.keys())
    if (partsOf(name)?.clientId === clientId) records.keep(name, undefined)
}

/** Writes what one connection keeps. */
export class ConnectionKeeper {
  readonly #records: SharedRecords | undefined
  readonly #clientId: string
  readonly #filters = new Map<string, number>()
  #nextFilter = 1

  constructor(records: SharedRecords | undefined, clientId: string) {
    this.#records = records?.isLasting === true ? records : undefined
    this.#clientId = clientId
  }

  get isLasting(): boolean {
    return this.#records !== undefined
  }

  /** The broker has a session of this connection, which is empty or what was kept of it. */
  keepSession(): void {
    this.#records?.keep(sessionName(this.#clientId), { since: 'now' })
  }

  keepExchange(ordinal: number, record: ExchangeRecord | undefined): void {
    this.#records?.keep(nameOf(this.#clientId, 'out', ordinal), record)
  }

  keepTaken(packetId: number, record: TakenRecord | undefined): void {
    this.#records?.keep(nameOf(this.#clientId, 'in', packetId), record)
  }

  /** One that was kept by an earlier process. */
  noteFilter(ordinal: number, filter: string): void {
    this.#filters.set(filter, ordinal)
    this.#nextFilter = Math.max(this.#nextFilter, ordinal + 1)
  }

  /** The broker knows, or may know, this filter; undefined: it does not. */
  keepFilter(filter: string, qos: 0 | 1 | 2 | undefined): void {
    if (this.#records === undefined) return
    let ordinal = this.#filters.get(filter)
    if (qos === undefined) {
      if (ordinal === undefined) return
      this.#filters.delete(filter)
      return this.#records.keep(nameOf(this.#clientId, 'filter', ordinal), undefined)
    }
    if (ordinal === undefined) {
      ordinal = this.#nextFilter++
      this.#filters.set(filter, ordinal)
    }
    this.#records.keep(nameOf(this.#clientId, 'filter', ordinal), { filter, qos })
  }

  /** Calls back when all of this is durable: at once if nothing is kept. */
  whenDurable(done: () => void): void {
    if (this.#records === undefined) done()
    else this.#records.onDurable(done)
  }
}

const NUMBERS = 'shared numbers'
/** Numbers that are set aside at once. */
const BLOCK = 2 ** 20

/** Numbers of QoS 2 messages, none of which is ever given twice; above all packet identifiers. */
export class MessageNumbers {
  readonly #records: SharedRecords | undefined
  readonly #name: string
  #next: number
  #end = 0

  /** `owner`: the gateway's own ClientId; `random`: 0 to 1, for the very first number. */
  constructor(records: SharedRecords | undefined, owner: string, random: () => number) {
    this.#records = records
    this.#name = `${NUMBERS} ${owner}`
    const { next }: { next?: unknown } = Object(records?.loaded.get(this.#name))
    this.#next = isCount(next) ? next : 0x10000 + Math.floor(random() * 2 ** 48)
  }

  take(): number {
    const number = this.#next++
    if (this.#next > this.#end) {
      this.#end = this.#next + BLOCK
      this.#records?.keep(this.#name, { next: this.#end })
    }
    return number
  }
}
