// Whether this process is the one that serves the sensors, where several are ready to. Types only.

import type { Incarnation } from '../store/part.ts'

/** What a gateway asks of whoever knows. A gateway that is alone has none. */
export interface Tenure {
  /** as whom the store is written to; undefined as long as another process serves */
  readonly taken: Incarnation | undefined
  /** A message was taken from a socket. Cheap. */
  noteArrival?(): void
  /** Whether it may serve now; without that nothing is taken, nothing leaves, and no deadline is looked at. Cheap. */
  holds(): boolean
  /**
   * The broker says that somebody else has opened the connection of a sensor. Resolves to whether the sensors are still those of
   * this process; if not, nothing is done any more.
   */
  confirm(): Promise<boolean>
  /**
   * The broker has ended the connection of the gateway itself, without a word about the reason that could be trusted: another process
   * that has taken over makes it do so, as that has the same ClientId. Cheap.
   */
  suspect(): void
}
