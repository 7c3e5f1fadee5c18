// Which packet identifier of a shared connection stands for which QoS 2 publish of a sensor: the broker knows a repetition by it, also
// after a crash. Pure; what is to be written is told to `keep`.

/** One exchange as it is stored. */
export interface ExchangeRecord {
  /** 0: the broker has finished it, and the sensor's session does not know that yet */
  readonly packetId: number
  /** whose it is; absent: nobody asks for it any more, it is only to be brought to its end */
  readonly clientId?: string | undefined
  readonly token?: number | undefined
}

interface Exchange {
  readonly ordinal: number
  packetId: number
  clientId: string | undefined
  readonly token: number
}

/** Writes, or with undefined deletes, the record of this number. */
export type KeepExchange = (ordinal: number, record: ExchangeRecord | undefined) => void

export class Exchanges {
  readonly #keep: KeepExchange
  readonly #byClient = new Map<string, Map<number, Exchange>>()
  readonly #byPacketId = new Map<number, Exchange>()
  #nextOrdinal = 1

  constructor(keep: KeepExchange) {
    this.#keep = keep
  }

  /** One of an earlier process. */
  restore(ordinal: number, { packetId, clientId, token = 0 }: ExchangeRecord): void {
    this.#nextOrdinal = Math.max(this.#nextOrdinal, ordinal + 1)
    this.#note({ ordinal, packetId, clientId, token })
  }

  /** The identifier of a publish; 0: the broker has finished it; undefined: it has none. */
  packetIdOf(clientId: string, token: number): number | undefined {
    return this.#byClient.get(clientId)?.get(token)?.packetId
  }

  has(packetId: number): boolean {
    return this.#byPacketId.has(packetId)
  }

  /** This identifier stands for this publish from now on; to be durable before the broker hears of it. */
  begin(clientId: string, token: number, packetId: number): void {
    const exchange = { ordinal: this.#nextOrdinal++, packetId, clientId, token }
    this.#note(exchange)
    this.#keep(exchange.ordinal, { packetId, clientId, token })
  }

  /** The broker has finished it. `isTold`: so does its session know; otherwise it will ask. */
  finish(packetId: number, isTold: boolean): void {
    const exchange = this.#byPacketId.get(packetId)
    if (exchange === undefined) return
    this.#byPacketId.delete(packetId)
    exchange.packetId = 0
    const { ordinal, clientId, token } = exchange
    if (isTold || clientId === undefined) this.#forget(exchange)
    else this.#keep(ordinal, { packetId: 0, clientId, token })
  }

  /** The session knows that it is finished. */
  settle(clientId: string, token: number): void {
    const exchange = this.#byClient.get(clientId)?.get(token)
    if (exchange?.packetId === 0) this.#forget(exchange)
  }

  /** Nobody will ask for those of this client that are not needed any more: they are only brought to their end. */
  disown(clientId: string, isNeeded: (token: number) => boolean): void {
    for (const exchange of [...(this.#byClient.get(clientId)?.values() ?? [])]) {
      if (isNeeded(exchange.token)) continue
      if (exchange.packetId === 0) this.#forget(exchange)
      else {
        this.#unname(exchange)
        exchange.clientId = undefined
        this.#keep(exchange.ordinal, { packetId: exchange.packetId })
      }
    }
  }

  /** Identifiers that are only to be brought to their end. */
  get orphans(): readonly number[] {
    return [...this.#byPacketId.values()].flatMap(({ clientId, packetId }) =>
      clientId === undefined ? packetId : [],
    )
  }

  /** The broker has forgotten all: what is not finished gets another identifier. */
  clear(): void {
    for (const exchange of [...this.#byPacketId.values()]) this.#forget(exchange)
  }

  #note(exchange: Exchange): void {
    const { packetId, clientId, token } = exchange
    if (packetId !== 0) this.#byPacketId.set(packetId, exchange)
    if (clientId === undefined) return
    const own = this.#byClient.get(clientId)
    if (own === undefined) this.#byClient.set(clientId, new Map([[token, exchange]]))
    else own.set(token, exchange)
  }

  #unname({ clientId = '', token }: Exchange): void {
    const own = this.#byClient.get(clientId)
    own?.delete(token)
    if (own?.size === 0) this.#byClient.delete(clientId)
  }

  #forget(exchange: Exchange): void {
    this.#byPacketId.delete(exchange.packetId)
    if (exchange.clientId !== undefined) this.#unname(exchange)
    this.#keep(exchange.ordinal, undefined)
  }
}
