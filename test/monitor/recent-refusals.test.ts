// Who was refused lately: bounded, and one entry for each sender and reason.

import { expect, it, onTestFinished } from 'vitest'
import { createRecentRefusals, mergeRefusals } from '../../src/monitor/recent-refusals.ts'
import { createView } from '../../src/monitor/view.ts'
import { TestGateway, until } from '../support/gateway.ts'
import { World } from '../support/world.ts'

const peerOf = (address: string, port = 5000) => new World().sensor(address, port).peer

it('joins what one sender repeats, from whatever port, and puts the latest first', () => {
  const refusals = createRecentRefusals()
  for (const port of [1, 2, 3])
    refusals.add({ reason: 'denied', peer: peerOf('10.0.0.1', port), clientId: 'a' })
  refusals.add({ reason: 'denied', peer: peerOf('10.0.0.1'), clientId: 'b', returnCode: 3 })
  refusals.add({ reason: 'client-id-empty', peer: peerOf('10.0.0.1'), clientId: '' })
  refusals.add({ reason: 'denied', peer: peerOf('10.0.0.1', 4), clientId: 'a', returnCode: 3 })
  expect(refusals.list()).toMatchObject([
    {
      reason: 'denied',
      clientId: 'a',
      times: 4,
      address: '10.0.0.1:4',
      key: 'sensors[].deny',
      returnCode: 3,
    },
    { reason: 'client-id-empty', clientId: '', times: 1, key: undefined },
    { reason: 'denied', clientId: 'b', times: 1 },
  ])
  const [first] = refusals.list()
  expect(first && first.firstAt <= first.at).toBe(true)
})

it('remembers the last two hundred, and bounds what a sender may put into one', () => {
  const refusals = createRecentRefusals()
  for (let i = 0; i < 1000; i++)
    refusals.add({
      reason: 'denied',
      peer: peerOf('10.0.0.1'),
      clientId: `${i} ${'x'.repeat(5000)}`,
      detail: 'y'.repeat(5000),
    })
  expect(refusals.list()).toHaveLength(200)
  expect(JSON.stringify(refusals.list()).length).toBeLessThan(200 * 1000)
  expect(mergeRefusals([refusals.list(), refusals.list()])).toHaveLength(200)
})

it('is what the view of a gateway shows, with its counters', async () => {
  const test = await TestGateway.start('embedded', { limits: { clientIdLength: 5 } })
  onTestFinished(() => test.stop())
  const view = createView(test.gateway, test.config, '1')
  onTestFinished(() => view.close())
  const peer = await test.peer()
  peer.send({
    type: 'connect',
    will: false,
    cleanSession: true,
    protocolId: 1,
    duration: 60,
    clientId: 'longer',
  })
  await peer.next('connack')
  peer.send('05fe00123408040401003c6e31')
  await until(() => view.refusals().length === 2)
  expect(view.refusals()).toMatchObject([
    { reason: 'forwarder-not-listed', clientId: 'n1', key: 'listeners[].forwarders' },
    { reason: 'client-id-too-long', clientId: 'longer', returnCode: 3, address: `127.0.0.1:${peer.port}` },
  ])
  expect(view.info().counters.refusals).toEqual({ 'client-id-too-long': 1, 'forwarder-not-listed': 1 })
})
