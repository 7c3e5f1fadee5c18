// A connection that somebody else has opened at the broker, where other processes are ready to serve the sensor.

import { beforeEach, expect, it } from 'vitest'
import { TakeoverDoubts } from '../../../src/gateway/effects/takeover-doubts.ts'
import { createSensorRules } from '../../../src/gateway/rules/sensor-rules.ts'
import { createSession, type Session } from '../../../src/session/session.ts'
import { testConfig } from '../../support/gateway.ts'

const { env } = createSensorRules(testConfig('embedded', {}), Math.random)

let answer: (isOurs: boolean) => void
let told: number
let doubts: TakeoverDoubts
let session: Session

beforeEach(() => {
  told = 0
  const confirm = () =>
    new Promise<boolean>((resolve) => {
      answer = resolve
    })
  doubts = new TakeoverDoubts({ confirm })
  session = createSession('s', env)
  session.link.state = 'up'
})

const check = () =>
  doubts.check(session, () => {
    told += 1
  })

it('tells the session when the sensor is still that of this process [SN-MAP-35]', async () => {
  const checked = check()
  answer(true)
  await checked
  expect(told).toBe(1)
})

it('tells it nothing when the sensor is that of another process [SN-MAP-35]', async () => {
  const checked = check()
  answer(false)
  await checked
  expect(told).toBe(0)
})

it('tells it nothing of an old connection when it has opened another one meanwhile, or was let go: a living sensor must not be told to go away [SN-MAP-35]', async () => {
  const checked = check()
  doubts.forget(session)
  answer(true)
  await checked
  expect(told).toBe(0)
})

it('tells it nothing when its next connection is wanted, and waits for the store [SN-MAP-35]', async () => {
  const checked = check()
  session.link.state = 'connecting'
  answer(true)
  await checked
  expect(told).toBe(0)
})
