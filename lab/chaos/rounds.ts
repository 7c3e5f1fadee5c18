// The rounds of a chaos run: traffic, troubles and poison; then everything under way is finished, and the books are checked.

import { setMaxListeners } from 'node:events'
import { pause } from '../../src/sensor/pause.ts'
import { type BrokerClient, openBrokerClient } from '../../src/simulation/swarm/broker-client.ts'
import { Air, type AirTally } from './air.ts'
import { faultOfArrival } from './arrival.ts'
import type { Outage } from './books.ts'
import { ConsoleApi } from './console.ts'
import { checkDeadLetters } from './dead-letters.ts'
import { Downlink } from './downlink.ts'
import type { ChaosLines } from './lines.ts'
import { SecureLink, type SecureLinkOptions } from './link.ts'
import { LogFaults } from './log-faults.ts'
import { Member } from './member.ts'
import { planRound, type RoundPlan } from './plan.ts'
import { describeRound, describeRun, figuresOf } from './report.ts'
import { roles } from './roles.ts'
import type { ChaosOptions, ChaosOutcome } from './run.ts'
import { isSecure, keyOf } from './security.ts'
import { createSite, type Site } from './site.ts'
import { PUBLISHER, Strangers, WITNESS } from './strangers.ts'
import { type Cast, type Scene, troubleBroker, troubleDatabase, troubleGateway } from './trouble.ts'
import { liveAsTwins } from './twins.ts'

/** Milliseconds of traffic in a round. */
const TRAFFIC = 1500
/** Milliseconds in which everything under way must be finished; with poison it takes some attempts to find out what that is. */
const [PATIENCE, PATIENCE_POISON] = [20_000, 60_000]
/** Milliseconds in which a copy of the last message may still come. */
const SETTLE = 150
/** So often that is waited for a will that is being published. */
const WILL_TRIES = 40
const WEATHER = { loss: 0.1, duplication: 0.06, delay: 0.15, longest: 60 }
/** Faults told per round; a broken gateway would fill the screen. */
const TOLD = 12

/** One run. */
export class Chaos {
  readonly members: Member[] = []
  readonly outcome: ChaosOutcome = {
    rounds: 0,
    kills: 0,
    handshakes: 0,
    unplugged: 0,
    stops: 0,
    brokerRestarts: 0,
    engine: {},
    nodes: {},
    endings: 0,
    writers: 0,
    poisonedRounds: 0,
    acknowledged: 0,
    lost: 0,
    duplicated: 0,
    excused: 0,
    faults: [],
  }
  readonly #options: ChaosOptions
  readonly #cast: Cast
  readonly #site: Site
  readonly #airTally: AirTally = { datagrams: 0, lost: 0, duplicated: 0, delayed: 0 }
  readonly #outages: Outage[] = []
  readonly #brokers: BrokerClient[] = []
  readonly #lines: ChaosLines
  readonly #downlink: Downlink
  readonly #twins: Air[]
  readonly #strangers = new Strangers()
  #numbers = 0
  #round = 0
  #told = 0
  /** when this round began, in milliseconds since 1970 */
  #begunAt = 0
  readonly #log = new LogFaults()

  constructor(options: ChaosOptions, lines: ChaosLines, cast: Cast) {
    const { seed, keep } = options
    this.#options = options
    this.#cast = cast
    this.#lines = lines
    const onFault = (sensor: string, what: string) => this.#fault(`${sensor}: ${what}`)
    const nextNumber = () => ++this.#numbers
    this.#site = createSite(options, cast.nodes.port, this.#outages, nextNumber, onFault)
    this.#downlink = new Downlink(this.#site)
    const linkOf = (name: string) =>
      isSecure(name, options.dtls)
        ? new SecureLink({
            way: () => cast.nodes.secureWayOf(name),
            psk: keyOf(name),
            ...this.#watchSession(name),
          })
        : (lines.linkOf(name) ?? cast.nodes.linkOf(name))
    const airOf = (name: string) =>
      new Air({
        name,
        seed,
        link: linkOf(name),
        weather: WEATHER,
        tally: this.#airTally,
        record: keep,
        onFault: (what) => this.#fault(`${name}: ${what}`),
      })
    for (const role of roles) this.members.push(new Member(role, airOf(role.name), this.#site))
    this.#twins = ['twin-a', 'twin-b'].map(airOf)
  }

  /** One handshake is what a sensor needs: over all restarts, its session goes on. */
  #watchSession(name: string): Pick<SecureLinkOptions, 'onSecured' | 'onEnded'> {
    let handshakes = 0
    return {
      onSecured: () => {
        this.outcome.handshakes += 1
        handshakes += 1
        if (handshakes > 1) this.#fault(`${name}: it needed another handshake`)
      },
      onEnded: () => this.#fault(`${name}: the gateway ended its session of DTLS`),
    }
  }

  /** All rounds, or until the signal. */
  async run(): Promise<void> {
    const { rounds, signal, say, keep, seed } = this.#options
    const witness = await this.#openBroker(WITNESS)
    await witness.listen('#', (topic, payload) => {
      const fault = faultOfArrival(this.#site, topic, payload)
      if (fault !== undefined) this.#fault(fault)
    })
    const publisher = await this.#openBroker(PUBLISHER)
    for (const air of [...this.members.map((member) => member.air), ...this.#twins]) await air.open()
    await this.#strangers.open()
    await Promise.all(this.members.filter(({ role }) => !role.casualty).map((member) => member.begin()))
    say(
      `seed ${seed}: ${this.members.length} sensors, gateway ${this.#cast.nodes.pids.join(' and ')}, broker on port ${this.#cast.mosquitto.port}`,
    )
    for (this.#round = 1; this.#round <= rounds && !signal.aborted; this.#round += 1) {
      await this.#playRound(publisher)
      if (keep && this.outcome.faults.length > 0) break
    }
    await this.#awaitWills()
    this.outcome.writers = (await this.#cast.writers?.writers()) ?? 0
    this.#sum(witness)
  }

  /** Ends all connections; the processes are ended by who started them. */
  async close(): Promise<void> {
    if (
      this.#cast.nodes.serving?.process.running &&
      this.outcome.faults.length === 0 &&
      !this.#options.signal.aborted
    ) {
      await Promise.all(this.members.map((member) => member.leave()))
    }
    for (const air of [...this.members.map((member) => member.air), ...this.#twins]) air.shut()
    this.#strangers.shut()
    const enough = new AbortController()
    await Promise.race([
      Promise.all(this.#brokers.map((broker) => broker.close().catch(() => {}))),
      pause(2000, enough.signal),
    ])
    enough.abort()
  }

  async #openBroker(clientId: string): Promise<BrokerClient> {
    const note = (text: string) => {
      // While the broker is away every attempt fails, as it should.
      if (!/\b(ECONN[A-Z]+|EPIPE)\b|timeout/i.test(text)) this.#fault(`${clientId}: ${text}`)
    }
    const broker = await openBrokerClient(this.#cast.mosquitto.url, clientId, note)
    this.#brokers.push(broker)
    return broker
  }

  async #playRound(publisher: BrokerClient): Promise<void> {
    const { seed, signal, say, poison, nodes } = this.#options
    const startedAt = performance.now()
    this.#begunAt = Date.now()
    const before = figuresOf(this.#site, this.outcome)
    const faults = this.outcome.faults.length
    this.#told = 0
    const plan = planRound(seed, this.#round, TRAFFIC, poison, nodes)
    const traffic = new AbortController()
    const fetching = new AbortController()
    setMaxListeners(0, fetching.signal)
    const scene: Scene = {
      ...this.#cast,
      outages: this.#outages,
      wills: this.#site.wills,
      isSecure: (name) => isSecure(name, this.#options.dtls),
      outcome: this.outcome,
      signal,
    }
    const disorder = [
      troubleGateway(plan, scene),
      troubleBroker(plan, scene),
      troubleDatabase(plan, scene),
      this.#lines.trouble(seed, this.#round, TRAFFIC, signal),
    ]
    const lives = this.members.map((member) =>
      member.role.casualty
        ? member.fall(this.#round)
        : member.live(this.#round, traffic.signal, plan.isPoisoned),
    )
    const sending = [this.#downlink.send(publisher, this.#round, traffic.signal)]
    if (plan.isPoisoned) {
      this.outcome.poisonedRounds += 1
      lives.push(liveAsTwins(this.#twins, this.#site, this.#round, traffic.signal))
      sending.push(this.#strangers.disturb(seed, this.#round, this.#cast.nodes.port, traffic.signal))
    }
    await pause(TRAFFIC, signal)
    traffic.abort()
    await Promise.all([...disorder, ...sending])
    const fetches = this.members.map((member) => member.fetch(fetching.signal))
    await this.#quiesce(plan.isPoisoned ? PATIENCE_POISON : PATIENCE)
    fetching.abort()
    if (!signal.aborted) {
      await this.#check(plan)
      await Promise.all([...lives, ...fetches])
      this.outcome.rounds += 1
    }
    const wrong = this.outcome.faults.length - faults
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    say(
      `round ${this.#round}: ${describeRound(before, figuresOf(this.#site, this.outcome))}, ` +
        `${seconds} s${wrong > 0 ? `, ${wrong} WRONG (--seed ${seed})` : ''}`,
    )
  }

  /** Compares everything with the books. */
  async #check({ discards, brokerRestart, engineTrouble, nodeTroubles }: RoundPlan): Promise<void> {
    const { up, down, wills, deadLetters } = this.#site
    for (const what of [...up.writeOff(), ...down.writeOff(), ...wills.overdue()]) this.#fault(what)
    for (const { role, busy } of this.members)
      if (busy) this.#fault(`${role.name}: still waits for an answer`)
    const { nodes, writers } = this.#cast
    const problem = await nodes.lastingProblem(PATIENCE)
    if (problem !== undefined) return this.#fault(problem)
    const isCut = nodeTroubles.some(({ kind }) => kind === 'refused' || kind === 'silent')
    const trouble = {
      hasDatabaseTrouble: engineTrouble !== undefined || isCut,
      hasNodes: nodes.all.length > 1,
      hasDeposed: isCut || nodeTroubles.some(({ kind }) => kind === 'freeze'),
      hasBrokerTrouble: brokerRestart !== undefined,
    }
    for (const what of (await writers?.faults()) ?? []) this.#fault(`the database: ${what}`)
    const orphans = (await writers?.orphans()) ?? 0
    if (orphans > 0) this.#fault(`${orphans} slots have no owner that is alive`)
    for (const line of this.#log.of(nodes.takeFaults(), trouble, this.#begunAt))
      this.#fault(`gateway log: ${line}`)
    let spooled = await this.#api.spooledMessages()
    // the will of a sensor that has just died is one of these, where sensors share connections
    for (let i = 0; i < WILL_TRIES && this.#options.shared > 0 && spooled > 0; i++) {
      await pause(SETTLE)
      spooled = await this.#api.spooledMessages()
    }
    if (spooled > 0) this.#fault(`${spooled} acknowledged messages are stuck in the spool`)
    const keeping = roles.filter(({ stores }) => stores).map(({ name }) => name)
    for (const what of await checkDeadLetters(this.#api, deadLetters, keeping, discards)) this.#fault(what)
  }

  get #api(): ConsoleApi {
    return new ConsoleApi(this.#cast.nodes.consoles)
  }

  /** Waits until nothing has been under way for a while, not even in the spool, but not for ever: a session between two nodes is in no spool. */
  async #quiesce(patience: number): Promise<void> {
    const { up, down } = this.#site
    const deadline = performance.now() + patience
    const isQuiet = async () =>
      this.#downlink.outstanding === 0 &&
      up.missing + down.missing === 0 &&
      this.members.every(({ busy }) => !busy) &&
      (await this.#cast.nodes.problem()) === undefined &&
      (await this.#api.spooledMessages().catch(() => undefined)) === 0
    for (let quiet = 0; quiet < 2 && performance.now() < deadline && !this.#options.signal.aborted; ) {
      quiet = (await isQuiet()) ? quiet + 1 : 0
      await pause(quiet > 0 ? SETTLE : 20)
    }
  }

  /** The wills of those that died last. */
  async #awaitWills(): Promise<void> {
    const { wills } = this.#site
    while (wills.open > 0 && !this.#options.signal.aborted) {
      await pause(100, this.#options.signal)
      for (const what of wills.overdue()) this.#fault(what)
    }
  }

  #sum(witness: BrokerClient): void {
    const { outcome } = this
    const { up, down } = this.#site
    outcome.unplugged = this.#lines.unplugged
    outcome.endings = this.#cast.nodes.endings
    outcome.acknowledged = up.acknowledged + down.acknowledged
    outcome.lost = up.lost + down.lost
    outcome.duplicated = up.duplicated + down.duplicated
    outcome.excused = up.excused + down.excused + witness.repeated
    for (const line of describeRun(this.#site, this.#airTally, outcome)) this.#options.say(line)
  }

  #fault(what: string): void {
    this.outcome.faults.push(what)
    this.#told += 1
    const time = new Date().toISOString().slice(11, 23)
    if (this.#told <= TOLD) this.#options.say(`  WRONG ${time} round ${this.#round}: ${what}`)
    if (this.#told === TOLD + 1) this.#options.say('  WRONG ... and more')
  }
}
