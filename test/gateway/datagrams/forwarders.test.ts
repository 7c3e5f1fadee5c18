// Who may speak for other nodes: a forwarder can pretend to be any of them.

import { expect, it, onTestFinished } from 'vitest'
import { TestGateway, until } from '../../support/gateway.ts'

const connect = '05fe0012340804040100' + '3c6e31' // an encapsulated CONNECT of "n1", node 1234

it.each([
  ['none is configured', []],
  ['another one is configured', ['10.0.0.7']],
])('encapsulated messages are discarded where %s [SN-FWD-9]', async (_, forwarders) => {
  const test = await TestGateway.start('embedded', { listeners: [{ url: 'udp://127.0.0.1:0', forwarders }] })
  onTestFinished(() => test.stop())
  const peer = await test.peer()
  peer.send(connect)
  await until(() => test.gateway.status().counters.dropped['not-allowed'] === 1)
  expect(test.gateway.status().sensors).toBe(0)
  expect(peer.types()).toBe('')
})

it('encapsulated messages are taken from a configured forwarder [SN-FWD-9]', async () => {
  const test = await TestGateway.start('embedded', {
    listeners: [{ url: 'udp://127.0.0.1:0', forwarders: ['127.0.0.1'] }],
  })
  onTestFinished(() => test.stop())
  const peer = await test.peer()
  peer.send(connect)
  expect(await peer.next('connack')).toMatchObject({ returnCode: 0 })
})
