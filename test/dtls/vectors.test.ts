// Recorded sessions of nine other implementations, replayed: the server answers octet for octet as it was accepted by them.

import { describe, expect, it } from 'vitest'
import type { Effect } from '../../src/dtls/effects.ts'
import { DtlsServer } from '../../src/dtls/server/server.ts'
import { bytesOf, recordedChance, recordedOptions, type Step, type Vector, vectors } from './vectors.ts'

/** The date of the recordings, for the certificates. */
const WALL = Date.parse('2026-12-01')

/** Effects in the words of the recordings. */
function stepOf(effect: Effect, at: number): Step | string | undefined {
  switch (effect.type) {
    case 'send':
      return { at, out: Buffer.from(effect.bytes).toString('hex') }
    case 'open': {
      const { identity, kind, suite, resumed, extendedMasterSecret: ems, connectionId } = effect.info
      const cid = connectionId === undefined ? {} : { cid: connectionId }
      const event = { type: 'open', identity: identity ?? '', kind: kind === 'psk' ? 'psk' : 'cert' } as const
      return { at, event: { ...event, suite, resumed, ems, ...cid } }
    }
    case 'data':
      return { at, event: { type: 'data', bytes: Buffer.from(effect.bytes).toString('hex') } }
    case 'moved':
      return { at, event: { type: 'moved' } }
    case 'closed':
      return { at, event: { type: 'closed', why: effect.why, open: true } as Step['event'] & object }
    case 'fault':
      return `fault: ${effect.error}`
    default:
      return undefined
  }
}

/** Plays all datagrams to a server that echoes, and tells everything that happened. */
function replay(vector: Vector): { steps: (Step | string)[]; keylog: string[] } {
  const server = new DtlsServer(recordedOptions(vector), recordedChance(vector))
  const steps: (Step | string)[] = []
  const keylog: string[] = []
  for (const step of vector.steps) {
    if (step.in === undefined || step.from === undefined) continue
    steps.push(step)
    const out: Effect[] = []
    const turn = { now: step.at, wall: WALL, out }
    server.tick(turn)
    server.receive(bytesOf(step.in), step.from, turn)
    for (const effect of out) {
      const told = stepOf(effect, step.at)
      if (told !== undefined) steps.push(told)
      if (effect.type === 'keylog') keylog.push(effect.line)
      // pushes its record onto what is being walked over
      if (effect.type === 'data') server.send(effect.session, effect.bytes, turn)
    }
  }
  return { steps, keylog }
}

describe('recorded sessions', () => {
  it('are those of all eighteen', () => {
    expect(vectors).toHaveLength(18)
  })

  for (const vector of vectors) {
    it(`${vector.name}: answered octet for octet as then (${vector.peer})`, () => {
      const { steps, keylog } = replay(vector)
      expect(steps).toEqual(vector.steps)
      if (steps.some((step) => typeof step !== 'string' && step.event?.type === 'open'))
        expect(keylog.at(-1)).toBe(vector.keylog)
    })
  }
})
