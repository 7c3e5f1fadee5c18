// A sensor as the parts of the connection that it shares see it.

import type { UpstreamEvent } from '../../session/events.ts'
import type { SharingSensor } from './contract.ts'

export interface Member {
  readonly sensor: SharingSensor
  /** grows when it is closed, so that answers which were planned before are not given */
  readonly life: number
  readonly isOpen: boolean
  tell(event: UpstreamEvent): void
  /** Tells after the call that causes the event. */
  later(event: UpstreamEvent): void
}
