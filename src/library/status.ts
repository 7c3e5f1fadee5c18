// How a gateway stands, for programs with a gateway inside: plain data that does not follow every move of the gateway's own types.

/** A gateway at one moment; counters only grow. */
export interface GatewayStatus {
  readonly listeners: readonly {
    readonly name: string
    /** with the real port */
    readonly url: string
    readonly stats: {
      /** octets of receive buffer that the system granted, and that were asked for */
      readonly receiveBuffer: number
      readonly receiveBufferAsked: number
      /** datagrams that the system dropped because the buffer was full; undefined where it cannot be told */
      readonly kernelDrops: number | undefined
      readonly sendErrors: number
      /** of a line, `serial://` or `tcp://` */
      readonly link?: { readonly up: boolean; readonly queue: number } | undefined
      /** of a listener with DTLS */
      readonly secure?:
        | {
            /** open sessions, and handshakes under way */
            readonly sessions: number
            readonly halfOpen: number
            /** how handshakes ended since the start: `full`, `resumed`, or why they failed */
            readonly handshakes: Readonly<Partial<Record<string, number>>>
          }
        | undefined
    }
  }[]
  readonly broker: {
    readonly url: string
    /** the gateway's own connection is up */
    readonly healthy: boolean
  }
  readonly store: {
    readonly type: 'lmdb' | 'memory' | 'postgres'
    /** why the last write failed; undefined: all is well */
    readonly error: string | undefined
    /** octets on disk */
    readonly octets: number
    /** answers to sensors and to the broker that wait for a write */
    readonly held: number
    /** the database server; undefined for a store that has none */
    readonly engine?:
      | {
          /** `host:port` */
          readonly host: string
          /** there is a connection, on which it answers */
          readonly up: boolean
          /** what it acknowledges outlives the loss of its machine; undefined as long as that is not known */
          readonly replicated: boolean | undefined
          /** what is wrong with its settings, for people */
          readonly warnings: readonly string[]
        }
      | undefined
  }
  readonly counters: {
    /** messages from sensors and to sensors, by type, such as `publish` */
    readonly received: Readonly<Partial<Record<string, number>>>
    readonly sent: Readonly<Partial<Record<string, number>>>
    /** application messages to the broker and from it */
    readonly published: number
    readonly delivered: number
    /** requests to sensors that were sent again [6.13] */
    readonly retransmissions: number
    /** what was discarded, by reason */
    readonly dropped: Readonly<Partial<Record<string, number>>>
    /** who was refused, by reason */
    readonly refusals: Readonly<Partial<Record<string, number>>>
    /** sensors that fell silent, by what became of their session: `clean` is forgotten, `kept` is not */
    readonly losses: Readonly<Partial<Record<string, number>>>
    /** exceptions caught: each one is a bug of the gateway */
    readonly faults: number
  }
  /** sessions, connected or kept */
  readonly sensors: number
}

/** What became of a new configuration. Paths, never values: those may be secrets. */
export interface ReloadReport {
  /** paths whose new values hold now */
  readonly applied: readonly string[]
  /** paths whose new values need a restart; the old ones hold */
  readonly waiting: readonly string[]
  /** ClientIds of sensors that were sent away, because they may not be here any more */
  readonly ended: readonly string[]
}
