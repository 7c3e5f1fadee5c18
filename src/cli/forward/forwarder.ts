// A running forwarder: links to nodes, the way to the gateway and the time, put together around the core in src/forwarder.

import type { ForwardConfig, ForwardSource } from '../../config/forward/load.ts'
import { endOf, linkKindOf, modemOf } from '../../config/forward/wires.ts'
import { servesBothFamilies } from '../../config/sections/listener.ts'
import type { ListenerInfo } from '../../console/contract/gateway.ts'
import type { ForwardEffect, ForwardTurn, Standing } from '../../forwarder/effects.ts'
import { Forwarder, type ForwardLink } from '../../forwarder/forwarder.ts'
import type { Radio } from '../../forwarder/node-ids.ts'
import { admissionOf } from '../../gateway/datagrams/admission.ts'
import { logLine } from '../../gateway/reports/line-log.ts'
import type { Log } from '../../log.ts'
import { openLink } from '../../transport/open.ts'
import type { Transport } from '../../transport/transport.ts'
import { logSession, logStanding, reportDrops } from './forward-log.ts'
import { GatewayWay } from './gateway-way.ts'

/** What waits for lines is sent for so long when the forwarder stops, milliseconds. */
const FLUSH = 500
const LONGEST_PAUSE = 2 ** 30
/** Octets of the longest message for a node, where nothing else is said. */
const LONGEST = 1472

const RADIOS: Readonly<Record<string, Radio>> = { xbee: 'xbee', loralink: 'lora', aquila: 'aquila' }

/** A link to nodes that is open. */
interface OpenLink {
  readonly source: ForwardSource
  readonly transport: Transport
  readonly admits: (address: string) => boolean
}

/** Told when something changes that a caller waits for. */
export interface ForwarderWatcher {
  onStanding?(standing: Standing): void
  /** there is no way to the gateway */
  onClosed?(error: Error): void
}

export class RunningForwarder {
  readonly core: Forwarder
  readonly way: GatewayWay
  readonly #config: ForwardConfig
  readonly #log: Log
  readonly #links: readonly OpenLink[]
  readonly #watcher: ForwarderWatcher
  readonly #endReports: () => void
  #timer: NodeJS.Timeout | undefined
  #timerAt = Number.POSITIVE_INFINITY
  #lastError: string | undefined
  #isStopped = false

  /** Opens all links; rejects with TransportError if one cannot be had. Lines that are away are tried again meanwhile. */
  static async start(
    config: ForwardConfig,
    log: Log,
    watcher: ForwarderWatcher = {},
    sources = config.from,
  ): Promise<RunningForwarder> {
    let forwarder: RunningForwarder | undefined
    // all at once: a device server that does not answer is waited for
    const opened = await Promise.allSettled(
      sources.map(async (source, index): Promise<OpenLink> => {
        const { admits } = admissionOf({ ...source, forwarders: [], dtls: undefined })
        const transport = await openLink(
          linkOptionsOf(source, sources, log),
          (bytes, remote) => forwarder?.receive(index, bytes, remote),
          (err) => log.debug({ err, listener: source.name }, 'an error of the socket'),
        )
        log.info({ listener: source.name, url: transport.url }, 'nodes are heard')
        return { source, transport, admits }
      }),
    )
    const links = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    for (const one of opened) {
      if (one.status === 'fulfilled') continue
      await Promise.all(links.map(({ transport }) => transport.close()))
      throw one.reason
    }
    forwarder = new RunningForwarder(config, log, links, watcher)
    return forwarder
  }

  private constructor(
    config: ForwardConfig,
    log: Log,
    links: readonly OpenLink[],
    watcher: ForwarderWatcher,
  ) {
    this.#config = config
    this.#log = log
    this.#links = links
    this.core = new Forwarder({
      links: links.map(planOf),
      longest: config.to.maxMessageSize,
      nested: config.nested,
      answerSearch: config.answerSearch,
      keepalive: config.keepalive,
    })
    this.#endReports = reportDrops(log, this.core.books)
    this.#watcher = watcher
    const { watch } = this.core
    this.way = new GatewayWay(config.to, {
      onOpen: (session) => {
        logSession(log, config.to, session)
        this.#do((turn) => watch.onOpen(turn))
      },
      onClosed: (error) => {
        log.warn(
          { to: config.to.url, reason: error.message },
          'no way to the gateway; it is tried again until there is one',
        )
        this.#do((turn) => watch.onClosed(turn))
        watcher.onClosed?.(error)
      },
      onDatagram: (bytes) => this.#do((turn) => this.core.fromGateway(bytes, turn)),
      onSecondWay: () => this.#do((turn) => watch.onSecondWay(turn)),
      onNoSecondWay: () => watch.onNoSecondWay(),
      onError: (error) => {
        this.#lastError = error.message.includes('ECONNREFUSED') ? 'nobody listens there' : error.message
      },
    })
    void this.way.open()
  }

  /** A datagram of a node. */
  receive(link: number, bytes: Uint8Array, remote: { address: string; port: number }): void {
    if (this.#isStopped) return
    if (this.#links[link]?.admits(remote.address) !== true) return this.core.books.drop('not-allowed')
    this.#do((turn) => this.core.fromNode(link, bytes, remote, turn))
  }

  /** Messages that are held, by the name of their link. */
  held(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#links.map(({ source }, link) => [source.name, this.core.heldFor(link)]))
  }

  /** The links as metrics show them; asks the system. */
  listeners(): ListenerInfo[] {
    return this.#links.map(({ source: { name }, transport }) => ({
      name,
      url: transport.url,
      ...transport.stats(),
    }))
  }

  /** Ends everything, within a second. */
  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.way.close()
    this.#endReports()
    const closed = Promise.all(this.#links.map(({ transport }) => transport.close()))
    let timer: NodeJS.Timeout | undefined
    await Promise.race([closed, new Promise((resolve) => (timer = setTimeout(resolve, FLUSH)))])
    clearTimeout(timer)
  }

  #do(step: (turn: ForwardTurn) => void): void {
    if (this.#isStopped) return
    const turn: ForwardTurn = { now: performance.now(), out: [] }
    step(turn)
    for (const effect of turn.out) this.#perform(effect)
    this.#wake()
  }

  #perform(effect: ForwardEffect): void {
    switch (effect.type) {
      case 'toGateway':
        if (!this.way.send(effect.bytes)) this.core.books.drop('upstream-down')
        return
      case 'toNode':
        return this.#links[effect.link]?.transport.send(effect.bytes, effect.remote)
      case 'toAllNodes':
        return this.#links[effect.link]?.transport.broadcast(effect.bytes, effect.radius)
      case 'standing':
        logStanding(this.#log, this.#config, effect.standing, effect.gwId, this.#lastError)
        if (effect.standing === 'serving') this.#lastError = undefined
        return this.#watcher.onStanding?.(effect.standing)
      case 'renew':
        return void this.way.renew()
      case 'adopt':
        return this.way.adopt()
      case 'abandon':
        return this.way.abandon()
    }
  }

  /** One timer, for what is due first. */
  #wake(): void {
    const at = this.core.due()
    if (at >= this.#timerAt && this.#timer !== undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#timerAt = at
    if (at === Number.POSITIVE_INFINITY) return
    const pause = Math.min(Math.max(at - performance.now(), 0), LONGEST_PAUSE)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#timerAt = Number.POSITIVE_INFINITY
      this.#do((turn) => this.core.tick(turn))
    }, Math.ceil(pause))
  }
}

function linkOptionsOf(source: ForwardSource, sources: readonly ForwardSource[], log: Log) {
  const { name, url, maxMessageSize, receiveBuffer, group, pace } = source
  return {
    url,
    bothFamilies: servesBothFamilies(source, sources),
    receiveBuffer,
    longest: maxMessageSize,
    pace,
    group: group && {
      address: group.group,
      port: group.port,
      interface: group.interface,
      hops: group.hops ?? 1,
    },
    onLine: (event: Parameters<typeof logLine>[2]) => logLine(log, name, event),
  }
}

/** What the core is to know of a link. */
function planOf({ source: { url, node, maxMessageSize }, transport }: OpenLink): ForwardLink {
  const kind = linkKindOf(url)
  const end = endOf(url)
  return {
    kind,
    node,
    unheard: end === undefined ? radioOf(url) : { address: end, port: 0 },
    longest: () => maxMessageSize ?? LONGEST,
    room: () => transport.room?.() ?? Number.POSITIVE_INFINITY,
  }
}

/** Of those that call one cannot know by which way a node is reached that was never heard. */
const radioOf = (url: string): Radio | undefined =>
  url.startsWith('tcp-listen:') ? undefined : RADIOS[modemOf(url) ?? '']
