// Whoever is refused is counted by reason, shown, and logged: one line per reason and address in a minute, with the key of the
// configuration that decides, so that nobody has to guess why a sensor does not get in.

import type { Log } from '../../log.ts'
import type { Effect } from '../../session/events.ts'
import { describePeer } from '../../session/peers.ts'
import type { Refusal } from '../../session/refusal.ts'
import { type Counters, incrementCounter } from '../counters.ts'
import { EXPLANATIONS } from './refusal-texts.ts'

/** Milliseconds between two lines about the same. */
const INTERVAL = 60_000

/** Lines in such an interval, and what is remembered: a flood from forged addresses must fill neither log nor memory. */
const MOST_LINES = 100
const MOST_KNOWN = 5000

/** A line that was logged: when, and how often the same has happened since. */
interface Line {
  at: number
  since: number
}

/** What refusals are reported with. */
export interface RefusalParts {
  readonly counters: Counters
  readonly log: Log
  /** takes every refusal, for those who look on */
  onRefused(refusal: Refusal): void
  /** monotonic milliseconds */
  now?(): number
}

/** Counts, shows and logs refusals; none of these throws. */
export interface Refusals {
  report(refusal: Refusal): void
  /** two devices with one ClientId: one line a minute, with both addresses */
  reportContested(effect: Pick<Extract<Effect, { type: 'contested' }>, 'session' | 'peer' | 'other'>): void
  /** sessions gave way to newcomers: one line a minute */
  reportGaveWay(): void
}

/** One for the life of a gateway. */
export function createRefusals(parts: RefusalParts): Refusals {
  const { counters, log, onRefused, now = () => performance.now() } = parts
  const lines = new Map<string, Line>()
  let spent = 0
  let spentSince = Number.NEGATIVE_INFINITY

  /** How often it has happened since its last line, this time included; undefined if that line is too young. */
  function timesToTell(key: string): number | undefined {
    const at = now()
    const known = lines.get(key)
    if (known !== undefined && at - known.at < INTERVAL) {
      known.since += 1
      return undefined
    }
    if (at - spentSince >= INTERVAL) {
      spent = 0
      spentSince = at
    }
    if (spent >= MOST_LINES) return undefined
    spent += 1
    if (lines.size >= MOST_KNOWN) lines.clear()
    lines.set(key, { at, since: 0 })
    return 1 + (known?.since ?? 0)
  }

  function logRefusal({ reason, peer, clientId, returnCode, detail }: Refusal): void {
    const { text, key, level = 'warn' } = EXPLANATIONS[reason]
    if (!log.isLevelEnabled(level)) return
    const times = timesToTell(`${reason} ${peer.address}`)
    if (times === undefined) return
    const fields = {
      reason,
      clientId,
      peer: describePeer(peer),
      listener: peer.listener.name,
      returnCode,
      detail,
      key,
    }
    log[level]({ ...fields, times }, `refused: ${text}`)
  }

  return {
    report(refusal) {
      incrementCounter(counters.refusals, refusal.reason)
      onRefused(refusal)
      logRefusal(refusal)
    },
    reportContested({ session: { clientId }, peer, other }) {
      const times = timesToTell(`contested ${clientId}`)
      if (times === undefined) return
      const peers = [describePeer(other), describePeer(peer)]
      log.warn({ clientId, peers, times }, 'two devices have the same ClientId: give each its own')
    },
    reportGaveWay() {
      const times = timesToTell('gave way')
      if (times === undefined) return
      const text =
        'there are as many sessions as may be: those of sensors that are gone give way to newcomers'
      log.warn({ key: 'limits.sensors, limits.sensorsPerAddress', sessions: times }, text)
    },
  }
}
