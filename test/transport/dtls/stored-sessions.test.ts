// A DTLS link whose sessions are in a store: what leaves when, and what is there for whoever has them next.

import { describe, expect, it } from 'vitest'
import { encodeFrame } from '../../../src/codec/v1/frame.ts'
import { numberInSlot } from '../../../src/dtls/slots.ts'
import type { SessionSharing, SlotRecord } from '../../../src/transport/secure-link.ts'
import type { Remote } from '../../../src/transport/transport.ts'
import { publish as publishOf } from '../../support/dtls-scene.ts'
import { StoreByHand } from '../../support/store-by-hand.ts'
import { openStoredLink, openStoredSensor } from '../../support/stored-link.ts'

const publish = (msgId: number): Uint8Array => encodeFrame(publishOf('ab', 'x', 1, msgId))
const puback = (): Uint8Array => encodeFrame({ type: 'puback', topicId: 1, msgId: 1, returnCode: 0 })

describe('acknowledgements of a session', () => {
  it('leave as soon as what they acknowledge is on the disk, though the next ones always wait already: as a forwarder has them', async () => {
    const store = new StoreByHand()
    const link = await openStoredLink({ store, answer: puback })
    const { received } = link
    const sensor = await openStoredSensor(link)
    store.write()
    const acknowledged = () => sensor.of('data').length
    for (let count = 1; count <= 20; count += 1) {
      store.begin() // has those before this one
      sensor.do((turn) => void sensor.core.send(publish(count), turn))
      await expect.poll(() => received.length, { interval: 2 }).toBe(count)
      store.finish()
      await expect.poll(acknowledged, { interval: 2 }).toBe(count - 1)
    }
    store.write()
    await expect.poll(acknowledged, { interval: 2 }).toBe(20)
  })
})

const SLOT = 5

/** A link that serves one slot, with a sensor that is known by its address only unless it is told to be found by an id. */
async function addressed(sharing: Partial<SessionSharing> = {}, connectionIdLength: 'off' | 0 = 'off') {
  const store = new StoreByHand()
  const link = await openStoredLink({ store, sharing: { chooseSlot: () => SLOT, ...sharing } })
  link.secure.takeUp(new Set([SLOT]), [])
  const sensor = await openStoredSensor(link, { connectionIdLength })
  const says = async (text: string) => {
    const count = link.received.length
    sensor.say(text)
    await expect.poll(() => link.received.length, { interval: 2 }).toBe(count + 1)
  }
  await says('hello')
  const { port = 0, address = '', association } = link.received[0]?.from ?? {}
  const number = association?.number ?? 0
  const isOpen = () => link.secure.about(number) !== undefined
  return { store, link, sensor, says, at: { address, port }, number, isOpen }
}

/** Another session as it was kept by a process before: at this address, and opened so many milliseconds later than the time given. */
async function keptSession(at: Remote, openedAt: number, later: number, connectionIdLength?: 'off' | 0) {
  const { store, link, number } = await addressed({}, connectionIdLength)
  link.secure.letGo(new Set([SLOT]))
  store.write()
  const name = `dtls ${number} field`
  const record = Object(store.asides.get(store.nameInSlot(SLOT, name)))
  const session = numberInSlot(SLOT, 77)
  const kept = { ...record, session, remote: at, openedAt: openedAt + later }
  const records: SlotRecord[] = [[SLOT, `dtls ${session} field`, kept]]
  return { session, records }
}

describe('a session that is taken up', () => {
  /** It goes and comes back, with what was kept of it. */
  async function takenUp(change: (record: object) => object) {
    const { store, link, sensor, number } = await addressed()
    link.secure.letGo(new Set([SLOT]))
    store.write()
    const records = store.inSlots(new Set([SLOT]))
    link.secure.takeUp(
      new Set([SLOT]),
      records.map(([slot, name, record]) => [slot, name, change(Object(record))]),
    )
    const to = link.received[0]?.from ?? { address: '', port: 0 }
    const got = () => sensor.of('data').length
    const acknowledge = (msgId: number) => {
      link.send(encodeFrame({ type: 'puback', topicId: 1, msgId, returnCode: 0 }), to)
      store.write()
    }
    return { store, link, sensor, number, acknowledge, got, to }
  }

  it('after a death acknowledges nothing but what has come here: the number of that record may never have been kept [DTLS-RUN-2]', async () => {
    const { store, link, sensor, acknowledge, got, to } = await takenUp((record) => ({
      ...record,
      isWhole: false,
    }))
    acknowledge(7) // of a message that came to the one who died
    link.send(encodeFrame({ type: 'pingresp' }), to)
    store.write()
    await expect.poll(got, { interval: 2 }).toBe(1)
    const count = link.received.length
    sensor.do((turn) => void sensor.core.send(publish(7), turn)) // once more
    await expect.poll(() => link.received.length, { interval: 2 }).toBe(count + 1)
    acknowledge(7)
    await expect.poll(got, { interval: 2 }).toBe(2)
  })

  it('after a death refuses what it cannot take all the same, as what has QoS 0: nobody would ever say so again [SN-PUB-4]', async () => {
    const { store, link, got, to } = await takenUp((record) => ({ ...record, isWhole: false }))
    link.send(encodeFrame({ type: 'puback', topicId: 1, msgId: 0, returnCode: 2 }), to)
    store.write()
    await expect.poll(got, { interval: 2 }).toBe(1)
  })

  it('as it was let go acknowledges also what came before', async () => {
    const { acknowledge, got } = await takenUp((record) => record)
    acknowledge(7)
    await expect.poll(got, { interval: 2 }).toBe(1)
  })
})

describe('of two sessions at one address', () => {
  it('without connection ids the later one is there: an older one that is taken up takes nothing from it', async () => {
    const { link, says, at, isOpen, number } = await addressed()
    const openedAt = link.secure.about(number)?.openedAt ?? 0
    const older = await keptSession(at, openedAt, -1000)
    link.secure.takeUp(new Set([SLOT]), older.records)
    await says('still here')
    expect([isOpen(), link.secure.about(older.session)]).toEqual([true, undefined])
    const later = await keptSession(at, openedAt, 1000)
    link.secure.takeUp(new Set([SLOT]), later.records)
    expect([isOpen(), link.secure.about(later.session) === undefined]).toEqual([false, false])
    expect(link.closed.map(([, why]) => why)).toEqual(['replaced'])
  })

  it('one with a connection id needs no address, and takes none', async () => {
    const { link, says, at, isOpen } = await addressed()
    const other = await keptSession(at, Date.now(), 1000, 0)
    link.secure.takeUp(new Set([SLOT]), other.records)
    await says('still here')
    expect([isOpen(), link.secure.about(other.session) === undefined]).toEqual([true, false])
  })

  it('the one here ends without a word when another link has the newer one, unless a connection id tells it', async () => {
    for (const [connectionIdLength, stays] of [
      ['off', false],
      [0, true],
    ] as const) {
      const { link, sensor, at, isOpen } = await addressed({}, connectionIdLength)
      link.secure.displace({ ...at, port: at.port - 1 })
      expect(isOpen()).toBe(true)
      link.secure.displace(at)
      expect([isOpen(), sensor.of('closed')]).toEqual([stays, []])
    }
  })
})

describe('a record of a session that is here', () => {
  it('waits behind those that wait elsewhere, so that none overtakes what was sent before it', async () => {
    let waits = false
    const { link, sensor, says } = await addressed({ isWaiting: () => waits })
    waits = true
    sensor.say('later')
    await expect.poll(() => link.passed.length, { interval: 2 }).toBe(1)
    expect(link.received).toHaveLength(1)
    waits = false
    await says('at once')
  })
})
