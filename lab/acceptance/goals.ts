// What several nodes are meant to reach, one line for each figure: a goal is for the machine that docs/cluster.md names.

/** How a figure is written. */
export type Unit = 's' | 'ms' | 'µs' | '%' | ''

/** One line. */
export interface AcceptanceGoal {
  readonly id: string
  /** what happens */
  readonly event: string
  /** what is looked at */
  readonly figure: string
  /** at most */
  readonly limit: number
  readonly unit: Unit
}

const goal = (id: string, event: string, figure: string, limit: number, unit: Unit): AcceptanceGoal => ({
  ...{ id, event, figure, limit, unit },
})

const KILL = 'SIGKILL of a node'
const KILL_10 = `${KILL}, T_RETRY 10 s`
const FREEZE = 'a machine dies (SIGSTOP for good), lease 5 s'
const STOP = 'SIGTERM of a node'
const ROLLING = 'all nodes restarted, one after the other'
const REHASH = 'all flows hashed anew'
const FAILOVER = 'the database is away for 15 s, its standby takes over'
const FORWARDING = 'every message comes to another node than its owner'
const ENGINE = 'QoS 2, 500 sensors'
const LOADING = 'a node takes 100,000 sessions up'

/** T_RETRY of the sensors, milliseconds: short as in trials, and as the specification has it. */
export const T_RETRY = 1000
export const T_RETRY_LONG = 10_000
/** Milliseconds that the database is away. */
export const AWAY = 15_000
/** Messages a second at which forwarding is measured. */
export const RATE = 20_000
export const SESSIONS = 100_000

export const goals = [
  goal('kill-served', KILL, 'its slots are served after', 0.5, 's'),
  goal('kill-wait', KILL, 'longest wait of a sensor', 2.5, 's'),
  goal('kill10-served', KILL_10, 'its slots are served after', 0.5, 's'),
  goal('kill10-wait', KILL_10, 'longest wait of a sensor', 11.5, 's'),
  goal('freeze-wait', FREEZE, 'longest wait of a sensor', 7, 's'),
  goal('stop-wait', STOP, 'longest wait of a sensor', 1, 's'),
  goal('rolling-wait', ROLLING, 'longest wait of a sensor', 1, 's'),
  goal('rolling-repeated', ROLLING, 'requests that sensors had to repeat', 0, ''),
  goal('rehash-wait', REHASH, 'longest wait of a sensor', 0.5, 's'),
  goal('failover-gap', FAILOVER, 'longest wait at QoS 0 and 1', 1, 's'),
  goal('failover-back', FAILOVER, 'QoS 2, CONNECT and waking answered after its return', 2, 's'),
  goal('failover-takeovers', FAILOVER, 'takeovers', 0, ''),
  goal('forwarding-cost', FORWARDING, 'processor time of all nodes more per message, 20,000/s', 10, 'µs'),
  goal('engine-cost', ENGINE, 'processor time of the gateway per message, above that with LMDB', 25, 'µs'),
  goal('loading-served', LOADING, 'all are served after', 5, 's'),
  goal('loading-turn', LOADING, 'longest turn of its event loop', 20, 'ms'),
] as const satisfies readonly AcceptanceGoal[]

export type GoalId = (typeof goals)[number]['id']
