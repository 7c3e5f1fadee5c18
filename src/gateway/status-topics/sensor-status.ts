// What the broker is told of sensors: their status, and with Home Assistant's discovery what they are. Each topic holds the
// newest, as soon as the connection and the rate permit; a sensor that is forgotten takes its topics with it.

import type { Config } from '../../config/schema.ts'
import type { Session } from '../../session/session.ts'
import type { Sessions } from '../../sessions/table.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import { createAnnouncements } from '../home-assistant/announcements.ts'
import { type PacedMessage, PacedPublisher } from './paced-publisher.ts'
import { json, sensorStatusOf, sensorTopicOf } from './topics.ts'

/** The gateway's own connection to the broker. */
export type OwnUpstream = Pick<Upstream, 'publishOwn' | 'hearOwn' | 'ownOpenings' | 'healthy'>

/** The steps of a connection setup are of no interest to others, who has not got through it even less. */
const ofInterest = new Set(['active', 'asleep', 'awake', 'disconnected', 'lost'])

/** An empty message takes a retained one away [MQTT 3.3.1.3]. */
const nothing: PacedMessage = { make: () => new Uint8Array(0) }

/** What was said last of a sensor; undefined: an earlier run has said something. */
interface Said {
  readonly heardAt: number | undefined
  readonly queued: number | undefined
}

export class SensorStatus {
  readonly #sessions: Pick<Sessions, 'byClientId'>
  readonly #config: Config
  readonly #publisher: PacedPublisher
  readonly #announcements: ReturnType<typeof createAnnouncements>
  /** sensors whose topics hold something */
  readonly #said = new Map<string, Said>()

  /** `speaks`: it announces the gateway itself, too. */
  constructor(
    sessions: Pick<Sessions, 'byClientId'>,
    upstream: OwnUpstream,
    config: Config,
    speaks: boolean,
  ) {
    this.#sessions = sessions
    this.#config = config
    const publish = (topic: string, payload: Uint8Array) => upstream.publishOwn(topic, payload, true)
    this.#publisher = new PacedPublisher(publish, config.status.perSecond, performance.now())
    this.#announcements = createAnnouncements(config, speaks)
    for (const clientId of sessions.byClientId.keys())
      this.#said.set(clientId, { heardAt: undefined, queued: undefined })
    this.#announcements?.onBirth(upstream, () => this.#announceAll())
  }

  /** Publishes what may be published now. */
  send(now: number): void {
    this.#publisher.send(now)
  }

  /** A sensor has come to a state. */
  say(session: Session, state: string): void {
    if (!ofInterest.has(state)) return
    this.#put(session, state, 'urgent')
    if (!this.#said.has(session.clientId)) this.#announce(session.clientId)
  }

  /** Something about the gateway itself. */
  sayFirst({ topic, message }: { readonly topic: string; readonly message: PacedMessage }): void {
    this.#publisher.put(topic, message, 'urgent')
  }

  /** Everything, at a broker that may know nothing. */
  sayAll(): void {
    for (const session of this.#sessions.byClientId.values())
      if (ofInterest.has(session.state)) this.#put(session, session.state, 'urgent')
    this.#announceAll()
  }

  /** What changes without a change of state, where it has changed. */
  sayChanges(): void {
    for (const [clientId, { heardAt, queued }] of this.#said) {
      const session = this.#sessions.byClientId.get(clientId)
      if (session === undefined || !ofInterest.has(session.state)) continue
      if (session.heardAt !== heardAt || session.downlink.queue.length !== queued)
        this.#put(session, session.state, 'routine')
    }
  }

  /**
   * A sensor has come from another node. What that one had still to say died with it, so all is said again, when there is time; and
   * what its topics hold is taken away with it.
   */
  adopt(session: Session): void {
    const { clientId, state } = session
    this.#said.set(clientId, { heardAt: undefined, queued: undefined })
    if (!ofInterest.has(state)) return
    this.#put(session, state, 'routine')
    this.#announce(clientId)
  }

  /** Somebody else goes on with it: what waits to be said would come after what that one says. */
  release({ clientId }: Session): void {
    this.#said.delete(clientId)
    const topics = [sensorTopicOf(this.#config, clientId), this.#announcements?.topicOf(clientId)]
    for (const topic of topics) if (topic !== undefined) this.#publisher.drop(topic)
  }

  /** A session is deleted. */
  forget({ clientId }: Session): void {
    if (this.#sessions.byClientId.has(clientId)) return
    const topics = [sensorTopicOf(this.#config, clientId), this.#announcements?.topicOf(clientId)]
    const isKnown = this.#said.delete(clientId)
    for (const topic of topics) {
      if (topic === undefined) continue
      // what nobody has been told needs not be taken back
      if (isKnown) this.#publisher.put(topic, nothing, 'urgent')
      else this.#publisher.drop(topic)
    }
  }

  #put(session: Session, state: string, how: 'urgent' | 'routine'): void {
    const { clientId } = session
    const message: PacedMessage = {
      make: () => json(sensorStatusOf(session, state, this.#config)),
      done: () => {
        this.#said.set(clientId, { heardAt: session.heardAt, queued: session.downlink.queue.length })
      },
    }
    this.#publisher.put(sensorTopicOf(this.#config, clientId), message, how)
  }

  #announce(clientId: string): void {
    const announcements = this.#announcements
    if (announcements === undefined) return
    const message: PacedMessage = { make: () => json(announcements.deviceOf(clientId)) }
    this.#publisher.put(announcements.topicOf(clientId), message, 'routine')
  }

  #announceAll(): void {
    const gateway = this.#announcements?.gateway
    if (gateway !== undefined)
      this.#publisher.put(gateway.topic, { make: () => json(gateway.device) }, 'urgent')
    for (const { clientId, state } of this.#sessions.byClientId.values())
      if (ofInterest.has(state) || this.#said.has(clientId)) this.#announce(clientId)
  }
}
