// What is counted of connections to the broker.

import type { SharedConnectionStats } from './aggregating/contract.ts'

/** Counts of sensors' connections; the gateway's own is not among them. The last four only grow. */
export interface UpstreamStats {
  readonly connected: number
  readonly connecting: number
  readonly waiting: number
  /** attempts that the broker refused or that failed */
  readonly refused: number
  /** established connections that ended without being asked to */
  readonly lost: number
  /** DISCONNECTs of the broker that accuse the gateway of an error [SN-MAP-35] */
  readonly faults: number
  /** attempts that found no local port, the gateway's own among them */
  readonly portless: number
  /** why the broker, or whatever answers in its place, does not accept the gateway; undefined if it does or is silent */
  readonly trouble: string | undefined
  /** the MQTT version in use, once that is known */
  readonly version: '5' | '3.1.1' | undefined
  /** connections that sensors share */
  readonly shared: readonly SharedConnectionStats[]
}
