// The contract of connections to the broker that many sensors share: what a sensor gives, what is known of them, what they keep.

/** A sensor that shares a connection with others. */
export interface SharingSensor {
  readonly clientId: string
  /** whose connections it uses */
  readonly pool: string
  /** numbers of the QoS 2 messages that it has, and that were not released */
  received(): Iterable<number>
  /** whether it may still ask for the publish of this token */
  needs(token: number): boolean
}

/**
 * What the upstream connection of a sensor that shares one with others can do besides. `connected` means that the shared one is up; it
 * is told as `closed`, with `moved`, when that breaks. The will of `ConnectOptions` is published when it is closed so; nobody
 * publishes it if the gateway itself is gone.
 */
export interface Sharing {
  /** Its subscriptions as its session has them: messages for them are its own from now on, whether it is connected or not. */
  attach(subscriptions: Iterable<readonly [filter: string, qos: 0 | 1 | 2]>): void
  /** The session is forgotten: it has no subscriptions any more. */
  forget(): void
}

/** Connections that some sensors share. */
export interface PoolOptions {
  /** how many */
  readonly count: number
  /** messages that each of them may publish in a second; any number if absent */
  readonly publishesPerSecond?: number | undefined
  /** who they are at the broker; to the ClientId the number of each is added */
  readonly identity: {
    readonly clientId: string
    readonly username?: string | undefined
    readonly password?: string | undefined
    /** PEM */
    readonly cert?: string | undefined
    readonly key?: string | undefined
  }
}

/** What is known of one of them. */
export interface SharedConnectionStats {
  /** its ClientId at the broker */
  readonly clientId: string
  readonly connected: boolean
  /** sensors that use it, and filters that they have subscribed */
  readonly sensors: number
  readonly filters: number
  /** requests that wait for their turn, of how many sensors, and those that the broker has not answered */
  readonly waiting: number
  readonly waitingSensors: number
  readonly underWay: number
  /** messages of the broker that not all their sensors have taken */
  readonly handingOut: number
  /** how often it broke */
  readonly breaks: number
  /** requests that waited too long in line, or for which there was no room */
  readonly refused: number
}

/** Records of shared connections that outlive the process, by names. */
export interface SharedRecords {
  /** those that were there at the start */
  readonly loaded: ReadonlyMap<string, unknown>
  /** the broker is to keep sessions, since what belongs to them is kept here */
  readonly isLasting: boolean
  /** Keeps one, or with undefined deletes it, in order with whatever else is written. */
  keep(name: string, record: object | undefined): void
  /** Calls back when all that was written so far is durable; never from within this call. */
  onDurable(done: () => void): void
}
