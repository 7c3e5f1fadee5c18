// The sign of life of a node in a large cluster.

import { expect, it, onTestFinished } from 'vitest'
import type { Member } from '../../src/cluster/judging/engine.ts'
import { openSign, SignWatch } from '../../src/cluster/sign-of-life.ts'
import { aWhile, until } from '../support/gateway.ts'

it('is watched by all others at once, of dozens of nodes: none has to look at the database since another one came', async () => {
  const sign = await openSign('127.0.0.1', 'here')
  onTestFinished(() => sign.close())
  const member: Member = {
    ...{ node: 'a', incarnation: 1, address: sign.address, version: undefined, state: 'active' },
    ...{ expires: 0, config: undefined },
  }
  let changes = 0
  const watches = Array.from({ length: 60 }, () => {
    const watch = new SignWatch('elsewhere', () => {
      changes += 1
    })
    onTestFinished(() => watch.close())
    watch.watch([member])
    return watch
  })
  await aWhile(1500)
  expect(changes).toBe(0)
  sign.close()
  await until(() => watches.every((watch) => watch.isProven(member)))
})
