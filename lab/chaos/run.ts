// One chaos run: rounds of traffic through a lossy path, in which the gateway is killed and the broker restarted; after each
// everything under way is finished, and the books are checked.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pause } from '../../src/sensor/pause.ts'
import { type BrokerClient, openBrokerClient } from '../../src/simulation/swarm/broker-client.ts'
import { freePort, GatewayProcess, Mosquitto } from '../processes.ts'
import { Air, type AirTally } from './air.ts'
import { Books, beginOutage, labelText, type Outage, parseLabel } from './books.ts'
import { Member, type MemberTally, type Site } from './member.ts'
import { planRound, type RoundPlan } from './plan.ts'
import { between, pick, seeded } from './random.ts'
import { predefined, roles, targets } from './roles.ts'
import { Wills } from './wills.ts'

/** What a run is told. */
export interface ChaosOptions {
  readonly rounds: number
  readonly seed: number
  readonly protocol: '5' | '3.1.1'
  readonly store: 'lmdb' | 'memory'
  /** keeps the logs and conversations if something is wrong, and ends with that round */
  readonly keep: boolean
  /** what Node runs as the gateway */
  readonly entry: readonly string[]
  readonly say: (line: string) => void
  /** ends the run after the present step */
  readonly signal: AbortSignal
}

/** What a run found out. */
export interface ChaosOutcome {
  rounds: number
  kills: number
  stops: number
  brokerRestarts: number
  /** QoS 1 and 2 messages acknowledged to their senders, both directions */
  acknowledged: number
  lost: number
  duplicated: number
  excused: number
  /** everything wrong, as told */
  faults: string[]
}

/** Milliseconds of traffic in a round. */
const TRAFFIC = 1500
/** Milliseconds in which everything under way must be finished. */
const PATIENCE = 20_000
/** Milliseconds between two messages to sensors. */
const DOWNLINK = 20
/** Milliseconds in which a copy of the last message may still come. */
const SETTLE = 150
const WEATHER = { loss: 0.1, duplication: 0.06, delay: 0.15, longest: 60 }
/** Faults told per round; a broken gateway would fill the screen. */
const TOLD = 12

/** Runs it; rejects if it cannot even start. Leaves no process and, unless `keep` and faults, no file behind. */
export async function runChaos(options: ChaosOptions): Promise<ChaosOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-chaos-'))
  const gatewayPort = await freePort()
  const mosquitto = new Mosquitto(folder, await freePort(), options.keep)
  const gateway = new GatewayProcess(
    folder,
    options.entry,
    configuration(options, folder, gatewayPort, mosquitto),
  )
  const chaos = new Chaos(options, gatewayPort, mosquitto, gateway)
  try {
    await mosquitto.start()
    await gateway.start()
    await chaos.run()
  } finally {
    await chaos.close()
    await gateway.end('SIGKILL')
    await mosquitto.end('SIGKILL')
    if (options.keep && chaos.outcome.faults.length > 0) {
      for (const { role, air } of chaos.members)
        writeFileSync(join(folder, `${role.name}.log`), air.conversation())
      options.say(`logs and conversations: ${folder}`)
    } else rmSync(folder, { recursive: true, force: true })
  }
  return chaos.outcome
}

function configuration(
  { protocol, store, keep }: ChaosOptions,
  folder: string,
  port: number,
  broker: Mosquitto,
): object {
  return {
    listeners: [{ name: 'air', url: `udp://127.0.0.1:${port}` }],
    broker: {
      url: broker.url,
      version: protocol,
      absence: '5s',
      connectTimeout: '2s',
      reconnect: { min: '50ms', max: '500ms' },
    },
    predefined,
    timers: { tRetry: '200ms', nRetry: 100, answer: '4s', awake: '3s' },
    limits: { queuedMessages: 10_000, queuedOctets: '16MiB' },
    store: store === 'lmdb' ? { type: 'lmdb', path: join(folder, 'state') } : { type: 'memory' },
    console: { enabled: false },
    log: { level: keep ? 'debug' : 'info', format: 'json' },
  }
}

class Chaos {
  readonly members: Member[] = []
  readonly outcome: ChaosOutcome = {
    rounds: 0,
    kills: 0,
    stops: 0,
    brokerRestarts: 0,
    acknowledged: 0,
    lost: 0,
    duplicated: 0,
    excused: 0,
    faults: [],
  }
  readonly #options: ChaosOptions
  readonly #mosquitto: Mosquitto
  readonly #gateway: GatewayProcess
  readonly #site: Site
  readonly #airTally: AirTally = { datagrams: 0, lost: 0, duplicated: 0, delayed: 0 }
  readonly #tally: MemberTally = { published: 0, received: 0, refused: 0, sessionsLost: 0, registersAgain: 0 }
  readonly #outages: Outage[] = []
  readonly #brokers: BrokerClient[] = []
  #numbers = 0
  #outstanding = 0
  #round = 0
  #told = 0
  #gatewayFaults = 0

  constructor(options: ChaosOptions, gatewayPort: number, mosquitto: Mosquitto, gateway: GatewayProcess) {
    const { seed, signal, protocol, keep } = options
    this.#options = options
    this.#mosquitto = mosquitto
    this.#gateway = gateway
    this.#site = {
      seed,
      gateway: `udp://127.0.0.1:${gatewayPort}`,
      up: new Books(this.#outages),
      down: new Books(this.#outages),
      wills: new Wills(protocol === '5'),
      tally: this.#tally,
      nextNumber: () => ++this.#numbers,
      onFault: (sensor, what) => this.#fault(`${sensor}: ${what}`),
      ended: signal,
    }
    for (const role of roles) {
      const air = new Air({
        name: role.name,
        seed,
        gatewayPort,
        weather: WEATHER,
        tally: this.#airTally,
        record: keep,
        onFault: (what) => this.#fault(`${role.name}: ${what}`),
      })
      this.members.push(new Member(role, air, this.#site))
    }
  }

  /** All rounds, or until the signal. */
  async run(): Promise<void> {
    const { rounds, signal, say, keep, seed } = this.#options
    const witness = await this.#openBroker('chaos-witness')
    await witness.listen('#', (topic, payload) => this.#onWitness(topic, payload))
    const publisher = await this.#openBroker('chaos-publisher')
    for (const { air } of this.members) await air.open()
    await Promise.all(this.members.filter(({ role }) => !role.casualty).map((member) => member.begin()))
    say(
      `seed ${seed}: ${this.members.length} sensors, gateway ${this.#gateway.pid}, broker on port ${this.#mosquitto.port}`,
    )
    for (this.#round = 1; this.#round <= rounds && !signal.aborted; this.#round += 1) {
      await this.#playRound(publisher)
      if (keep && this.outcome.faults.length > 0) break
    }
    await this.#awaitWills()
    this.#total(witness)
  }

  /** Ends all connections; the processes are ended by who started them. */
  async close(): Promise<void> {
    if (this.#gateway.running && this.outcome.faults.length === 0 && !this.#options.signal.aborted) {
      await Promise.all(this.members.map((member) => member.leave()))
    }
    for (const { air } of this.members) air.shut()
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
    const broker = await openBrokerClient(this.#mosquitto.url, clientId, note)
    this.#brokers.push(broker)
    return broker
  }

  async #playRound(publisher: BrokerClient): Promise<void> {
    const { seed, signal, say } = this.#options
    const startedAt = performance.now()
    const before = this.#figures()
    const faults = this.outcome.faults.length
    this.#told = 0
    const plan = planRound(seed, this.#round, TRAFFIC)
    const traffic = new AbortController()
    const fetching = new AbortController()
    const disorder = [this.#troubleGateway(plan), this.#troubleBroker(plan)]
    const lives = this.members.map((member) =>
      member.role.casualty ? member.fall(this.#round) : member.live(this.#round, traffic.signal),
    )
    const sending = this.#sendDown(publisher, traffic.signal)
    await pause(TRAFFIC, signal)
    traffic.abort()
    await Promise.all([...disorder, sending])
    const fetches = this.members.map((member) => member.fetch(fetching.signal))
    await this.#quiesce()
    await pause(SETTLE, signal)
    fetching.abort()
    if (!signal.aborted) {
      for (const what of [...this.#site.up.writeOff(), ...this.#site.down.writeOff()]) this.#fault(what)
      for (const what of this.#site.wills.overdue()) this.#fault(what)
      for (const { role, busy } of this.members)
        if (busy) this.#fault(`${role.name}: still waits for an answer`)
      if (!this.#gateway.running) this.#fault('the gateway ended by itself')
      for (const line of this.#gateway.faults.slice(this.#gatewayFaults)) this.#fault(`gateway log: ${line}`)
      this.#gatewayFaults = this.#gateway.faults.length
      await Promise.all([...lives, ...fetches])
      this.outcome.rounds += 1
    }
    const now = this.#figures()
    const wrong = this.outcome.faults.length - faults
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    say(
      `round ${this.#round}: kills ${now.kills - before.kills}, broker restarts ${now.brokerRestarts - before.brokerRestarts}, ` +
        `acknowledged ${now.up - before.up} up and ${now.down - before.down} down, lost ${now.lost - before.lost}, ` +
        `duplicated ${now.duplicated - before.duplicated}, ${seconds} s${wrong > 0 ? `, ${wrong} WRONG (--seed ${seed})` : ''}`,
    )
  }

  async #troubleGateway({ kills }: RoundPlan): Promise<void> {
    const { signal } = this.#options
    for (const { wait, how } of kills) {
      await pause(wait, signal)
      if (signal.aborted) return
      if (how === 'SIGKILL') {
        this.outcome.kills += 1
        this.#site.wills.gatewayKilled()
      } else this.outcome.stops += 1
      await this.#gateway.end(how)
      await this.#gateway.start()
    }
  }

  /** Mosquitto saves its sessions only when it ends with SIGTERM: it is restarted, not killed. */
  async #troubleBroker({ brokerRestart }: RoundPlan): Promise<void> {
    const { signal } = this.#options
    if (brokerRestart === undefined) return
    await pause(brokerRestart.wait, signal)
    if (signal.aborted) return
    const outage = beginOutage()
    this.#outages.push(outage)
    this.#site.wills.brokerStops()
    this.outcome.brokerRestarts += 1
    await this.#mosquitto.end('SIGTERM')
    await pause(brokerRestart.away, signal)
    await this.#mosquitto.start()
    outage.end()
  }

  /** Messages to sensors, as fast as the plan says and the broker takes them. */
  async #sendDown(publisher: BrokerClient, until: AbortSignal): Promise<void> {
    const random = seeded(this.#options.seed, this.#round, 'down')
    const [first, ...others] = targets
    if (first === undefined) return
    while (!until.aborted) {
      await pause(between(random, 0, 2 * DOWNLINK), until)
      const { name: topic, receivers } = pick(random, [first, ...others])
      const qos = random() < 0.5 ? 1 : 2
      if (this.#outstanding >= publisher.window || this.#options.signal.aborted) continue
      const label = { sender: 'publisher', topic, number: ++this.#numbers }
      for (const { sensor, qos: granted } of receivers)
        this.#site.down.send(label, sensor, Math.min(qos, granted))
      this.#outstanding += 1
      publisher
        .publish(topic, labelText(label), qos)
        .then(() => {
          for (const { sensor } of receivers) this.#site.down.acknowledge(label.number, sensor)
        })
        .catch((error: unknown) => {
          if (!this.#options.signal.aborted)
            this.#fault(`publisher: ${error instanceof Error ? error.message : error}`)
        })
        .finally(() => {
          this.#outstanding -= 1
        })
    }
  }

  #onWitness(topic: string, payload: string): void {
    const { wills, up } = this.#site
    if (topic.startsWith('will/')) {
      const fault = wills.arrive(topic.slice('will/'.length), Number(payload))
      if (fault !== undefined) this.#fault(fault)
      return
    }
    const label = parseLabel(payload)
    if (label === undefined) return this.#fault(`the broker got what nobody sent, on ${topic}: ${payload}`)
    if (label.sender === 'publisher') return
    if (label.topic !== topic) this.#fault(`${label.sender}: message for ${label.topic} arrived on ${topic}`)
    const fault = up.arrive(label, 'witness')
    if (fault !== undefined) this.#fault(`${label.sender}: ${fault}`)
  }

  /** Waits until nothing is under way. */
  async #quiesce(): Promise<void> {
    const { up, down } = this.#site
    const deadline = performance.now() + PATIENCE
    const quiet = () =>
      this.#outstanding === 0 && up.missing + down.missing === 0 && this.members.every(({ busy }) => !busy)
    while (!quiet() && performance.now() < deadline && !this.#options.signal.aborted) await pause(20)
  }

  /** The wills of those that died last. */
  async #awaitWills(): Promise<void> {
    const { wills } = this.#site
    while (wills.open > 0 && !this.#options.signal.aborted) {
      await pause(100, this.#options.signal)
      for (const what of wills.overdue()) this.#fault(what)
    }
  }

  #figures() {
    const { up, down } = this.#site
    return {
      kills: this.outcome.kills + this.outcome.stops,
      brokerRestarts: this.outcome.brokerRestarts,
      up: up.acknowledged,
      down: down.acknowledged,
      lost: up.lost + down.lost,
      duplicated: up.duplicated + down.duplicated,
    }
  }

  #total(witness: BrokerClient): void {
    const { say, protocol } = this.#options
    const { up, down, wills } = this.#site
    const { outcome } = this
    const air = this.#airTally
    outcome.acknowledged = up.acknowledged + down.acknowledged
    outcome.lost = up.lost + down.lost
    outcome.duplicated = up.duplicated + down.duplicated
    outcome.excused = up.excused + down.excused + witness.repeated
    say(
      `total: ${outcome.rounds} rounds, ${outcome.kills} kills and ${outcome.stops} stops of the gateway, ` +
        `${outcome.brokerRestarts} restarts of the broker`,
    )
    say(
      `messages of QoS 1 and 2 acknowledged: ${up.acknowledged} up, ${down.acknowledged} down; lost ${outcome.lost}; ` +
        `QoS 2 duplicated ${outcome.duplicated}, by the broker at its restart ${outcome.excused}; ` +
        `QoS 1 repeated ${up.repeated + down.repeated}; refused for now ${this.#tally.refused}`,
    )
    say(
      `sessions lost ${this.#tally.sessionsLost}, topics registered again ${this.#tally.registersAgain}; ` +
        `wills of the dead ${wills.arrived}, repeated ${wills.repeated}, published by the broker as it stopped ${wills.byBroker}` +
        `${protocol === '5' ? '' : `; of the living ${wills.tolerated}, which a crash causes with MQTT 3.1.1: not checked`}`,
    )
    say(
      `datagrams ${air.datagrams}, lost ${air.lost}, doubled ${air.duplicated}, delayed ${air.delayed}; ` +
        `${outcome.faults.length === 0 ? 'nothing is wrong' : `${outcome.faults.length} things are WRONG`}`,
    )
  }

  #fault(what: string): void {
    this.outcome.faults.push(what)
    this.#told += 1
    const time = new Date().toISOString().slice(11, 23)
    if (this.#told <= TOLD) this.#options.say(`  WRONG ${time} round ${this.#round}: ${what}`)
    if (this.#told === TOLD + 1) this.#options.say('  WRONG ... and more')
  }
}
