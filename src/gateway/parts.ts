// What a gateway is given besides its configuration.

import type { Log } from '../log.ts'
import type { Store } from '../store/store.ts'
import type { KeyLookUp } from './dtls/key-questions.ts'
import type { WorkerShare } from './worker-share.ts'

/** Takes why a gateway is of no use any more. */
export type OnDeposed = (why: Error) => void

/** Everything has a default. */
export interface GatewayParts {
  log?: Log | undefined
  /** instead of the one that the configuration names */
  store?: Store | undefined
  /** it is one of several that share the sensors */
  share?: WorkerShare | undefined
  /** told, if ever, that another gateway has taken over the store: whatever runs this one should end it */
  onDeposed?: OnDeposed | undefined
  /** asked for pre-shared keys that the configuration does not have */
  findKey?: KeyLookUp | undefined
}
