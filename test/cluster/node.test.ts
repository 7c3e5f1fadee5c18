// A node whose engine answers, and does not do what it is asked.

import { expect, it, onTestFinished } from 'vitest'
import type { Engine, Look, Member } from '../../src/cluster/judging/engine.ts'
import { LeaseEnd } from '../../src/cluster/lease-end.ts'
import { ClusterNode } from '../../src/cluster/node.ts'
import { allSlots, SLOTS } from '../../src/sessions/slots.ts'
import { until } from '../support/gateway.ts'

const self = { node: 'a', incarnation: 1 }
const member: Member = {
  ...{ ...self, address: undefined, version: undefined, state: 'standby', config: undefined },
  expires: Number.POSITIVE_INFINITY,
}
const seen: Look = {
  ...{ now: 0, members: [member], holdings: [], free: SLOTS, renewed: true },
  owners: allSlots.map(() => undefined),
}

it('says why a step has failed, once and not at every look', async () => {
  let takes = 0
  const engine: Engine = {
    look: async () => ({ ...seen, members: [] }),
    join: async () => self,
    renew: async () => seen,
    async take() {
      takes += 1
      throw new Error('permission denied for table mqttsn_slot')
    },
    give: async () => [],
    leave: async () => {},
  }
  const said: string[] = []
  const note = (level: string) => (fields: object, message: string) =>
    void said.push(`${level} ${message} ${'err' in fields ? fields.err : ''}`)
  const node = new ClusterNode({
    ...{ name: 'a', lease: 500, engine, end: new LeaseEnd() },
    signs: { watch() {}, isProven: () => false },
    log: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
    onDeposed() {},
  })
  onTestFinished(() => node.leave())
  void node.own()
  await until(() => takes > 3)
  expect(said.filter((line) => line.startsWith('warn'))).toEqual([
    'warn a step of the cluster has failed, and is tried again Error: permission denied for table mqttsn_slot',
  ])
})
