// What a link has besides that authenticates its peers: sessions of its own, which outlive addresses and perhaps the process.

import type { FailureCause } from '../dtls/failure.ts'
import type { ServerOptions } from '../dtls/server/options.ts'

/** How handshakes ended. */
export type HandshakeResult = 'full' | 'resumed' | FailureCause

/** What such a link tells of itself. */
export interface SecureStats {
  readonly sessions: number
  readonly halfOpen: number
  readonly handshakes: Readonly<Partial<Record<HandshakeResult, number>>>
  /** sessions that went to another address */
  readonly moves: number
  /** hellos that were asked to show that their address is theirs */
  readonly helloVerifies: number
  /** secrets are written to a file, with which whoever has it reads all */
  readonly keyLog: boolean
}

/** Records that outlive the process, by a name; `record` is asked when it is written, and undefined deletes. */
export interface AsideStore {
  /** those that were there at the start */
  readonly asides: ReadonlyMap<string, unknown>
  /** `lazy`: it goes along with the next thing that is written, within a second */
  keepAside(name: string, record: () => object | undefined, lazy?: boolean): void
  /** calls back when everything that was kept so far is on the disk, with the error if that failed and is tried again */
  onDurable(done: (error?: Error) => void): void
}

/** The sessions of a link, numbered as in `Association`. */
export interface SecureLink {
  /**
   * Begins to serve: what came before has waited. With a store, sessions that were open when the process ended are open again, and
   * those of now outlive it.
   */
  begin(store?: AsideStore): void
  /** Whether those above hold this session: others end after a while. */
  setInUse(association: number, inUse: boolean): void
  /** Other keys, certificates and limits from now on; sessions end whose key or certificate counts no longer. */
  reconfigure(options: ServerOptions): void
}
