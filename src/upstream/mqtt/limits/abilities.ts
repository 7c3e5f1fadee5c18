// What the broker can do: as the configuration has it, as CONNACK says, and as its answers show. What a message asks for
// beyond that is left out, or the message is refused [SN-MAP-9].

import type { BrokerLimits } from '../../../session/broker/limits.ts'
import type { Will } from '../../../session/message.ts'
import type { UpstreamOptions } from '../../upstream.ts'
import { UNLIMITED } from '../negotiation.ts'

/** The limits of connections whose CONNACKs said the same. They narrow when an answer shows that the broker can do less. */
export interface Ability {
  readonly said: BrokerLimits
  /** what may be sent */
  limits: BrokerLimits
  /** what a session may ask for: more than that, where what the broker cannot do is left out */
  offered: BrokerLimits
}

/** What an answer can show: an MQTT 3.1.1 broker says nothing of it before. */
interface Shown {
  maximumQos: 0 | 1 | 2
  retain: boolean
}

/** Reason codes of CONNACK. */
const RETAIN_NOT_SUPPORTED = 0x9a
const QOS_NOT_SUPPORTED = 0x9b

/** CONNACKs that differ; brokers say the same to all sensors, or to all that have the same user name. */
const MOST = 100

/** One for all connections of a gateway. */
export class Abilities {
  readonly #shown: Shown = { maximumQos: 2, retain: true }
  #options: UpstreamOptions
  #abilities: Ability[] = []
  #reported: BrokerLimits = UNLIMITED
  /** that of the last CONNACK, or what the configuration says before the first */
  #last: Ability
  /** before CONNACK */
  readonly initial: Ability

  constructor(options: UpstreamOptions) {
    this.#options = options
    this.initial = this.of(UNLIMITED)
    this.#last = this.initial
  }

  /** Other options hold from now on, also for open connections. */
  renew(options: UpstreamOptions): void {
    this.#options = options
    this.#update()
  }

  /** Whether messages are sent with less than they ask for, instead of being refused. */
  get downgrades(): boolean {
    return this.#options.unsupported === 'downgrade'
  }

  /** What holds on a connection whose CONNACK said this. */
  of(said: BrokerLimits): Ability {
    let ability = this.#abilities.find((known) => isSame(known.said, said))
    if (ability === undefined) {
      if (this.#abilities.length >= MOST) this.#abilities = []
      ability = this.#narrowed({ said, limits: said, offered: said })
      this.#abilities.push(ability)
      this.#report(ability.limits)
    }
    this.#last = ability
    return ability
  }

  /** The broker has answered a QoS 2 PUBLISH as if it had QoS 1: later ones are not sent at QoS 2. */
  showsNoQos2(): void {
    this.#showQos(1)
  }

  /**
   * The broker has refused a CONNECT with this will, by this code. Returns whether the next has a will that asks for less, and
   * may do better. `isOwn`: it is the gateway's own, which is never refused for what it asks for.
   */
  refusesWill({ qos, retain }: Will, code: number, isOwn: boolean): boolean {
    if (code === RETAIN_NOT_SUPPORTED) this.#show({ retain: false })
    else if (code === QOS_NOT_SUPPORTED && qos > 0) this.#showQos(qos === 2 ? 1 : 0)
    const { maximumQos, retainAvailable } = this.#last.limits
    return (this.downgrades || isOwn) && (qos > maximumQos || (retain && !retainAvailable))
  }

  /** The will that may go into CONNECT. Throws an Error if it asks for more than the broker has, and is to be refused then. */
  will(will: Will, isOwn: boolean): Will {
    const { maximumQos, retainAvailable } = this.#last.limits
    if (will.qos <= maximumQos && (retainAvailable || !will.retain)) return will
    if (!this.downgrades && !isOwn)
      throw new Error('the will asks for QoS or retain that the broker does not have')
    return { ...will, qos: lowerQos(will.qos, maximumQos), retain: will.retain && retainAvailable }
  }

  /** An answer may come late: what others have shown meanwhile holds. */
  #showQos(maximumQos: 0 | 1): void {
    this.#show({ maximumQos: lowerQos(this.#shown.maximumQos, maximumQos) })
  }

  #show(shown: Partial<Shown>): void {
    Object.assign(this.#shown, shown)
    this.#update()
  }

  #update(): void {
    for (const ability of new Set([...this.#abilities, this.#last, this.initial])) this.#narrowed(ability)
    this.#report(this.#last.limits)
  }

  #narrowed(ability: Ability): Ability {
    const { said } = ability
    const { abilities = {} } = this.#options
    const { maximumQos = this.#shown.maximumQos, retain = this.#shown.retain } = abilities
    const { maximumPacketSize = said.maximumPacketSize, wildcards = true } = abilities
    ability.limits = {
      ...said,
      maximumQos: lowerQos(maximumQos, said.maximumQos),
      retainAvailable: said.retainAvailable && retain,
      maximumPacketSize: Math.min(said.maximumPacketSize, maximumPacketSize),
      wildcardAvailable: said.wildcardAvailable && wildcards,
    }
    ability.offered = this.downgrades
      ? { ...ability.limits, maximumQos: 2, retainAvailable: true }
      : ability.limits
    return ability
  }

  #report(limits: BrokerLimits): void {
    if (isSame(limits, this.#reported)) return
    this.#reported = limits
    const { maximumQos, retainAvailable } = limits
    const { log } = this.#options
    const what = this.downgrades ? 'are sent to it with less' : 'are refused'
    if (maximumQos < 2) {
      log.info({ maximumQos }, `the broker has no higher QoS than this: messages that ask for more ${what}`)
    }
    if (!retainAvailable) log.info({}, `the broker retains no messages: those that ask for it ${what}`)
  }
}

/** The lower of the two. */
export function lowerQos(a: 0 | 1 | 2, b: 0 | 1 | 2): 0 | 1 | 2 {
  if (b < a) return b
  return a
}

function isSame(a: BrokerLimits, b: BrokerLimits): boolean {
  return (
    a.maximumQos === b.maximumQos &&
    a.retainAvailable === b.retainAvailable &&
    a.maximumPacketSize === b.maximumPacketSize &&
    a.wildcardAvailable === b.wildcardAvailable &&
    a.sharedAvailable === b.sharedAvailable
  )
}
