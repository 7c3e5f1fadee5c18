// Whether a sensor may be here: by the list of the configuration, and by a service for those that are not in it.

import type { Config } from '../../config/schema.ts'
import type { Log } from '../../log.ts'
import { hex, type Peer } from '../../session/peers.ts'
import type { AdmissionAnswer } from '../../sessions/connect/admission.ts'
import { type AllowedSensors, readAllowedSensors } from './allowed-sensors.ts'
import { createHttpHook, type HttpHook } from './http-hook.ts'

/** Whether the configuration asks anybody; otherwise rules alone decide. */
export const asksAdmission = ({ admission }: Pick<Config, 'admission'>): boolean =>
  admission.sensors !== undefined || admission.http !== undefined

export interface Admissions {
  /** Answers in a later turn of the event loop, perhaps after some seconds; not at all after `close`. */
  ask(clientId: string, peer: Peer, onAnswer: (answer: AdmissionAnswer['answer']) => void): void
  /** Whether the list alone decides, and does not have this sensor. */
  isUnlisted(clientId: string): boolean
  /** Takes over another configuration; answers of before are forgotten. */
  replace(config: Config): void
  close(): void
}

/** One object for the life of a gateway. */
export function createAdmissions(initial: Config, log: Log): Admissions {
  let list: AllowedSensors | undefined
  let hook: HttpHook | undefined
  let isClosed = false

  function replace({ admission: { sensors, http }, sensors: rules }: Config): void {
    list = sensors === undefined ? undefined : readAllowedSensors(sensors)
    hook = http && createHttpHook(http, (match) => rules.some((rule) => rule.match === match), log)
  }
  replace(initial)

  async function verdictOn(clientId: string, peer: Peer): Promise<AdmissionAnswer['answer']> {
    const listed = list?.(clientId)
    if (listed !== undefined) return { verdict: 'allow', rule: listed.rule }
    if (hook === undefined) return { verdict: list === undefined ? 'allow' : 'deny' }
    const { address, port, nodeId, association, listener } = peer
    const node = nodeId && hex(nodeId)
    const { identity, kind } = association ?? {}
    return hook.ask({ clientId, identity, kind, address, port, node, listener: listener.name })
  }

  return {
    ask(clientId, peer, onAnswer) {
      void verdictOn(clientId, peer).then((answer) => {
        if (!isClosed) onAnswer(answer)
      })
    },
    isUnlisted: (clientId) => list !== undefined && hook === undefined && list(clientId) === undefined,
    replace,
    close() {
      isClosed = true
      hook?.close()
    },
  }
}
