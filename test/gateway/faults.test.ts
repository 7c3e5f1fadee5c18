// Faults inside: one of a session costs that session, one of an observer costs nothing, and a slow or broken store never
// makes the gateway tell what it has not written.

import { expect, it, onTestFinished } from 'vitest'
import { Gateway } from '../../src/gateway/gateway.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { aWhile, freshName, testConfig, until } from '../support/gateway.ts'
import { UdpPeer } from '../support/sensor.ts'

/** A gateway in which something goes wrong, so that its counter of faults may be above 0 at the end. */
async function start(store: Store = createMemoryStore()) {
  const gateway = new Gateway(testConfig('embedded', {}), { store })
  await gateway.start()
  onTestFinished(() => gateway.stop())
  await until(() => gateway.status().broker.healthy)
  const { url } = gateway.status().listeners[0] ?? {}
  const peer = await UdpPeer.open()
  onTestFinished(() => peer.close())
  peer.remote = { address: '127.0.0.1', port: Number(new URL(url ?? '').port) }
  return { gateway, peer }
}

const connect = (clientId: string, cleanSession = true) =>
  ({ type: 'connect', will: false, cleanSession, protocolId: 1, duration: 60, clientId }) as const

const disconnect = { type: 'disconnect', duration: null } as const

it('an observer that throws is counted, and everything goes on', async () => {
  const { gateway, peer } = await start()
  const fail = () => {
    throw new Error('observer')
  }
  gateway.observe({ received: fail, sent: fail, effect: fail })
  peer.send(connect(freshName()))
  expect(await peer.next()).toMatchObject({ type: 'connack', returnCode: 0 })
  expect(gateway.status().counters.faults).toBeGreaterThanOrEqual(3)
})

it('a session that breaks while it ends leaves no connection to the broker behind', async () => {
  const { gateway, peer } = await start()
  const name = freshName()
  peer.send(connect(name))
  await peer.next()
  const session = gateway.sessions.byClientId.get(name)
  if (session === undefined) throw new Error('no session')
  expect(gateway.status().broker.connected).toBe(1)
  let isBroken = true
  Object.defineProperty(session.downlink, 'paused', {
    get: () => false,
    set() {
      if (!isBroken) return
      isBroken = false
      throw new Error('broken')
    },
  })
  peer.send(disconnect)
  await until(() => gateway.status().broker.connected === 0)
  expect(gateway.sessions.byClientId.size).toBe(0)
  expect(gateway.status().counters.faults).toBe(1)
})

it('a session that cannot even be ended is let go, and its sensor can connect again', async () => {
  const { gateway, peer } = await start()
  const name = freshName()
  peer.send(connect(name))
  await peer.next()
  const session = gateway.sessions.byClientId.get(name)
  if (session === undefined) throw new Error('no session')
  Object.assign(session, { link: undefined })
  peer.send({ type: 'pingreq', clientId: null })
  await until(() => gateway.status().broker.connected === 0)
  expect([gateway.sessions.byClientId.size, gateway.sessions.byPeer.size]).toEqual([0, 0])
  peer.send(connect(name))
  expect(await peer.next()).toMatchObject({ type: 'connack', returnCode: 0 })
})

/** A store whose writes take until the test says that they are done, or have failed. */
function slowStore() {
  const memory = createMemoryStore()
  const waiting: ((error?: Error) => void)[] = []
  const settle = (error?: Error) => {
    for (const done of waiting.splice(0)) done(error)
  }
  let isDone = false
  const store: Store = {
    ...memory,
    get written() {
      return memory.written
    },
    get durable() {
      return isDone ? memory.written : 0
    },
    onDurable: (done) => (isDone ? memory.onDurable(done) : void waiting.push(done)),
  }
  const done = () => {
    isDone = true
    settle()
  }
  return { store, done, failed: settle }
}

it('tells nothing before it is written, not even to a sensor that asks again, and then all of it in order', async () => {
  const { store, done } = slowStore()
  const { gateway, peer } = await start(store)
  onTestFinished(done)
  const name = freshName()
  peer.send(connect(name, false))
  await until(() => gateway.sessions.byClientId.get(name)?.state === 'active')
  peer.send(connect(name, false))
  peer.send({ type: 'pingreq', clientId: null })
  await aWhile()
  expect(peer.heard).toEqual([])
  done()
  expect(await peer.next()).toMatchObject({ type: 'connack', returnCode: 0 })
  expect(await peer.next()).toMatchObject({ type: 'connack', returnCode: 0 })
  expect(await peer.next()).toMatchObject({ type: 'pingresp' })
})

it('tells nothing that could not be written, and still ends connections when it stops', async () => {
  const { store, failed } = slowStore()
  const { gateway, peer } = await start(store)
  const name = freshName()
  peer.send(connect(name, false))
  await until(() => gateway.sessions.byClientId.get(name)?.state === 'active')
  failed(new Error('the disk is full'))
  await aWhile()
  expect(peer.heard).toEqual([])
  await gateway.stop()
  expect(gateway.status().counters.faults).toBe(0)
})
