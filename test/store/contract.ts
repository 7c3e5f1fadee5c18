// What every store does, whatever it keeps sessions in.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Uplink } from '../../src/session/message.ts'
import { lastingRecord, progressRecord } from '../../src/session/record.ts'
import type { SlotOf, Store, StoredSession } from '../../src/store/store.ts'
import { loaded, messageOf, richSession, sessionOf, uplinkIn, uplinkOf } from './sessions.ts'

/** A place that stores are opened on, one after the other. */
export interface Place {
  /** in one slot unless told */
  open(slotOf?: SlotOf): Promise<Store>
  remove(): Promise<void>
}

export const durable = (store: Store): Promise<Error | undefined> =>
  new Promise((resolve) => store.onDurable(resolve))

const wallNow = () => {
  const origin = Date.now() - performance.now()
  return (monotonic: number) => monotonic + origin
}

export function storeContract(name: string, newPlace: () => Place): void {
  describe(`${name} as a store`, () => {
    let place: Place
    let opened: Store | undefined

    beforeEach(() => {
      place = newPlace()
    })

    afterEach(async () => {
      vi.restoreAllMocks()
      await opened?.close()
      opened = undefined
      await place.remove()
    })

    async function open(slotOf?: SlotOf): Promise<Store> {
      opened = await place.open(slotOf)
      return opened
    }

    /** What is there after the gateway was stopped and started. */
    async function restart(): Promise<StoredSession[]> {
      await opened?.close()
      return loaded(await open())
    }

    const only = async (): Promise<StoredSession> => {
      const [session, ...others] = await restart()
      if (session === undefined || others.length > 0) throw new Error('not one session')
      return session
    }

    it('begins empty, with everything written durable', async () => {
      const store = await open()
      expect(await loaded(store)).toEqual([])
      expect(store.durable).toBe(store.written)
      expect(store.health.error).toBeUndefined()
    })

    it('brings back a session as it was, with wall times', async () => {
      const store = await open()
      await loaded(store)
      const session = richSession('sensor 1')
      store.save(session)
      const { record, messages, uplinks } = await only()
      expect(record.lasting).toEqual(lastingRecord(session))
      const { heardAt, endedAt, ...progress } = record.progress
      const wanted = progressRecord(session, wallNow())
      expect({ ...wanted, heardAt: 0, endedAt: 0 }).toEqual({ ...progress, heardAt: 0, endedAt: 0 })
      expect(Math.abs(heardAt - wanted.heardAt)).toBeLessThan(50)
      expect(Math.abs(endedAt - wanted.endedAt)).toBeLessThan(50)
      expect([messages, uplinks]).toEqual([[], []])
    })

    it('brings back a bare session: no address, no will, no topics', async () => {
      const store = await open()
      const session = sessionOf('')
      session.heardAt = Number.NEGATIVE_INFINITY
      session.endedAt = Number.POSITIVE_INFINITY
      store.save(session)
      const { record } = await only()
      expect(record.lasting).toEqual(lastingRecord(session))
      expect(record.progress).toEqual(progressRecord(session, wallNow()))
    })

    it('takes ClientIds of any text and length', async () => {
      const store = await open()
      const names = ['x'.repeat(65_535), '\0', 'ünïcode ✓ 🛰', 'x'.repeat(65_534), '1', '__proto__']
      for (const clientId of names) {
        store.save(sessionOf(clientId))
        store.keepMessage(clientId, messageOf(1, { topic: clientId.slice(0, 100) }))
      }
      const sessions = await restart()
      expect(sessions.map(({ record }) => record.lasting.clientId).sort()).toEqual(names.sort())
      for (const { record, messages } of sessions) {
        expect(messages.map(({ topic }) => topic)).toEqual([record.lasting.clientId.slice(0, 100)])
      }
    })

    it('keeps the last state: what changed between the calls, too', async () => {
      const store = await open()
      const session = richSession('s')
      store.save(session)
      session.subscriptions.clear()
      session.state = 'active'
      store.saveProgress(session)
      const { record } = await only()
      expect(record.lasting.subscriptions).toEqual([])
      expect(record.progress.state).toBe('active')
    })

    it('saves the progress of a session without its lasting part', async () => {
      const store = await open()
      const session = richSession('s')
      store.save(session)
      await durable(store)
      session.downlink.received.clear()
      session.state = 'lost'
      session.peer = undefined
      store.saveProgress(session)
      const { record } = await only()
      expect(record.progress).toMatchObject({ state: 'lost', received: [], peer: undefined })
      expect(record.lasting).toEqual(lastingRecord(session))
    })

    it('brings back messages in order of id, with all they have, and monotonic times', async () => {
      const store = await open()
      store.save(sessionOf('s'))
      const messages = [
        messageOf(300, { payload: new Uint8Array(70_000).fill(7), qos: 2, sent: true, repaired: true }),
        messageOf(2, { payload: new Uint8Array(0), qos: 0, retain: true, topic: 't'.repeat(5000) }),
        messageOf(10, { expiresAt: performance.now() + 60_000 }),
        messageOf(11, { expiresAt: Number.POSITIVE_INFINITY, payload: Buffer.from('buffer') }),
        messageOf(2 ** 40),
      ]
      for (const message of messages) store.keepMessage('s', message)
      const { messages: found } = await only()
      expect(found.map(({ id }) => id)).toEqual([2, 10, 11, 300, 2 ** 40])
      for (const [index, message] of messages.sort((a, b) => a.id - b.id).entries()) {
        const back = found[index]
        if (back === undefined) throw new Error('missing')
        expect(Math.abs(back.at - message.at)).toBeLessThan(50)
        expect(Buffer.compare(back.payload, message.payload)).toBe(0)
        const { payload: _payload, at: _at, expiresAt: _expiresAt, ...rest } = message
        expect(back).toMatchObject(rest)
        if (message.expiresAt === undefined) expect(back.expiresAt).toBeUndefined()
        else if (message.expiresAt === Number.POSITIVE_INFINITY)
          expect(back.expiresAt).toBe(message.expiresAt)
        else expect(Math.abs(Number(back.expiresAt) - message.expiresAt)).toBeLessThan(50)
      }
    })

    it('brings back publishes in order of token: given ones as waiting and repeated, without deadline', async () => {
      const store = await open()
      store.save(sessionOf('s'))
      const uplinks = [
        uplinkOf(20, { broker: 'sent' }),
        uplinkOf(3, {
          qos: 2,
          broker: 'received',
          sensor: 'answered',
          data: new Uint8Array(0),
          repeated: true,
        }),
        uplinkOf(100, { broker: 'done', sensor: 'released', qos: 2 }),
        uplinkOf(4),
      ]
      for (const uplink of uplinks) store.keepUplink('s', uplink)
      const { uplinks: stored } = await only()
      expect(stored.map((one) => [one.token, 'data' in one])).toEqual([[3, true], [4, false], [20, true], [100, true]]) // biome-ignore format: a table
      const found: Uplink[] = []
      for (const one of stored) {
        const uplink = 'data' in one ? one : await uplinkIn(opened as Store, 's', one.token)
        if (typeof uplink !== 'object') throw new Error('missing')
        found.push(uplink)
      }
      expect(found.map(({ token, broker, repeated }) => [token, broker, repeated])).toEqual([
        [3, 'received', true],
        [4, 'waiting', false],
        [20, 'waiting', true],
        [100, 'done', false],
      ])
      for (const back of found) {
        const uplink = uplinks.find(({ token }) => token === back.token)
        if (uplink === undefined) throw new Error('unknown')
        expect(back.deadline).toBe(Number.POSITIVE_INFINITY)
        expect(Math.abs(back.at - uplink.at)).toBeLessThan(50)
        const { at: _at, deadline: _deadline, broker: _broker, repeated: _repeated, ...rest } = uplink
        expect(back).toMatchObject(rest)
      }
    })

    it('holds messages and publishes of one number apart', async () => {
      const store = await open()
      store.save(sessionOf('s'))
      store.keepMessage('s', messageOf(1))
      store.keepUplink('s', uplinkOf(1))
      store.keepMessage('s', messageOf(2))
      store.keepUplink('s', uplinkOf(2))
      await durable(store)
      store.dropMessage('s', 1)
      store.dropUplink('s', 2)
      const { messages, uplinks } = await only()
      expect([messages.map(({ id }) => id), uplinks.map(({ token }) => token)]).toEqual([[2], [1]])
    })

    it('brings back what names a dead letter, and its payload only when it is asked for', async () => {
      const store = await open()
      store.save(sessionOf('s'))
      const dead = {
        broker: 'dead',
        why: 'refused',
        repeated: true,
        data: new Uint8Array(5000).fill(7),
      } as const
      store.keepUplink('s', uplinkOf(1, dead))
      store.keepUplink('s', uplinkOf(2, { ...dead, qos: 2, sensor: 'released' }))
      store.keepUplink('s', uplinkOf(3, { ...dead, qos: 2 })) // PUBREL is still to come, and a repetition may
      const { uplinks } = await only()
      expect(uplinks.map((one) => ['data' in one, 'why' in one && one.why])).toEqual([
        [false, 'refused'],
        [false, 'refused'],
        [true, 'refused'],
      ])
      expect(uplinks[0]).toMatchObject({
        token: 1,
        topic: 'from/sensor/1',
        qos: 1,
        retain: true,
        octets: 5000,
      })
      expect(await uplinkIn(opened as Store, 's', 1)).toMatchObject({ broker: 'dead', data: dead.data })
    })

    it('forgets a session with its messages and publishes, and leaves the others alone', async () => {
      const store = await open()
      for (const clientId of ['a', 'b', 'c']) {
        store.save(sessionOf(clientId))
        store.keepMessage(clientId, messageOf(1))
        store.keepUplink(clientId, uplinkOf(1))
      }
      await durable(store)
      store.keepMessage('b', messageOf(2))
      store.forget('b')
      store.forget('unknown')
      expect((await restart()).map(({ record }) => record.lasting.clientId).sort()).toEqual(['a', 'c'])
      opened?.forget('a')
      store.keepMessage('a', messageOf(3))
      expect((await restart()).map(({ record }) => record.lasting.clientId)).toEqual(['c'])
    })

    it('begins anew after forgetting: nothing old comes back', async () => {
      const store = await open()
      store.save(richSession('s'))
      store.keepMessage('s', messageOf(1))
      store.keepUplink('s', uplinkOf(1))
      await durable(store)
      store.forget('s')
      store.save(sessionOf('s'))
      store.keepMessage('s', messageOf(9))
      const { record, messages, uplinks } = await only()
      expect(record.lasting.subscriptions).toEqual([])
      expect([messages.map(({ id }) => id), uplinks]).toEqual([[9], []])
    })

    it('keeps nothing of a session that was never saved', async () => {
      const store = await open()
      store.keepMessage('stranger', messageOf(1))
      store.keepUplink('stranger', uplinkOf(1))
      store.dropMessage('stranger', 1)
      store.dropUplink('stranger', 1)
      expect(await durable(store)).toBeUndefined()
      expect(await restart()).toEqual([])
    })

    it('goes on with what it found at the start', async () => {
      const first = await open()
      first.save(richSession('old'))
      first.keepMessage('old', messageOf(1))
      first.keepMessage('old', messageOf(2))
      await restart()
      opened?.dropMessage('old', 1)
      opened?.save(sessionOf('new'))
      opened?.keepMessage('new', messageOf(1))
      const sessions = await restart()
      expect(
        sessions
          .map(({ record, messages }) => [record.lasting.clientId, messages.map(({ id }) => id)])
          .sort(),
      ).toEqual([
        ['new', [1]],
        ['old', [2]],
      ])
    })

    it('counts what is written, and calls back when it is durable, never at once', async () => {
      const store = await open()
      const before = store.written
      store.save(sessionOf('s'))
      store.keepMessage('s', messageOf(1))
      expect(store.written).toBeGreaterThan(before)
      const { written } = store
      let called = false
      const told = new Promise<Error | undefined>((resolve) =>
        store.onDurable((error) => {
          called = true
          resolve(error)
        }),
      )
      expect(called).toBe(false)
      expect(await told).toBeUndefined()
      expect(store.durable).toBeGreaterThanOrEqual(written)
      let again = false
      store.onDurable(() => {
        again = true
      })
      expect(again).toBe(false)
      await durable(store)
      expect(again).toBe(true)
    })

    it('calls back in order, also for writes that came to nothing', async () => {
      const store = await open()
      store.save(sessionOf('s'))
      const order: number[] = []
      for (const id of [1, 2, 3, 4]) {
        store.keepMessage('s', messageOf(id))
        store.onDurable(() => order.push(id))
        store.dropMessage('s', id)
        if (id === 2) await durable(store)
      }
      store.onDurable(() => order.push(5))
      await durable(store)
      expect(order).toEqual([1, 2, 3, 4, 5])
      store.keepMessage('s', messageOf(6))
      store.dropMessage('s', 6)
      expect(await durable(store)).toBeUndefined()
    })

    it('writes what is pending when it is closed', async () => {
      const store = await open()
      store.save(sessionOf('s'))
      for (let id = 1; id <= 100; id++) store.keepMessage('s', messageOf(id))
      const { messages } = await only()
      expect(messages).toHaveLength(100)
    })

    describe('in slots', () => {
      /** of sensors named by a letter of their slot and a number */
      const slotOf: SlotOf = (clientId) => clientId.charCodeAt(0) - 97
      const names = (sessions: readonly StoredSession[]) =>
        sessions.map(({ record }) => record.lasting.clientId).sort()

      async function filled(): Promise<Store> {
        const store = await open(slotOf)
        for (const clientId of ['a1', 'a2', 'b1', 'c1']) {
          store.save(richSession(clientId))
          store.keepMessage(clientId, messageOf(1))
        }
        await store.close()
        return open(slotOf)
      }

      it('gives the sessions of the slots that are asked for, and each once', async () => {
        const store = await filled()
        expect(names(await loaded(store, new Set([1, 7])))).toEqual(['b1'])
        expect(names(await loaded(store, new Set([0, 2])))).toEqual(['a1', 'a2', 'c1'])
      })

      it('writes what is pending of slots that are released, and gives it to whoever loads them again', async () => {
        const store = await filled()
        await loaded(store)
        store.keepMessage('a2', messageOf(2))
        store.dropMessage('a1', 1)
        store.save(sessionOf('a3'))
        store.forget('b1')
        await store.release(new Set([0, 1]))
        expect(store.durable).toBe(store.written)
        store.keepMessage('c1', messageOf(2))
        const again = await loaded(store, new Set([0, 1]))
        expect(names(again)).toEqual(['a1', 'a2', 'a3'])
        const messagesOf = (clientId: string) =>
          again.find(({ record }) => record.lasting.clientId === clientId)?.messages.map(({ id }) => id)
        expect([messagesOf('a1'), messagesOf('a2'), messagesOf('a3')]).toEqual([[], [1, 2], []])
      })

      it('lets slots go though sensors of others are written all the time', async () => {
        const store = await filled()
        await loaded(store)
        store.keepMessage('a1', messageOf(2))
        let isOver = false
        let writes = 0
        const write = () => {
          if (isOver) return
          store.keepMessage('c1', messageOf(3 + (writes++ % 5)))
          setImmediate(write)
        }
        write()
        const { groups } = store.health
        await store.release(new Set([0]))
        isOver = true
        // the one under way, and the next
        expect(store.health.groups - groups).toBeLessThanOrEqual(3)
      })

      it('goes on with sessions of slots that were loaded again', async () => {
        const store = await filled()
        await loaded(store)
        await store.release(new Set([0]))
        await loaded(store, new Set([0]))
        store.dropMessage('a1', 1)
        store.forget('a2')
        store.save(sessionOf('a2'))
        await store.close()
        const sessions = await loaded(await open(slotOf))
        expect(names(sessions)).toEqual(['a1', 'a2', 'b1', 'c1'])
        const counts = sessions.map(({ record, messages }) => [record.lasting.clientId, messages.length])
        expect(Object.fromEntries(counts)).toEqual({ a1: 0, a2: 0, b1: 1, c1: 1 })
      })

      it('gives publishes that are under way for a moment to whoever loads their slot, and goes on with the others', async () => {
        const store = await filled()
        await loaded(store)
        const brief = { qos: 2, stored: false, sensor: 'told' } as const
        const uplinks = new Map(
          ['a1', 'a2', 'c1'].map((clientId) => [clientId, uplinkOf(1, { ...brief, broker: 'sent' })]),
        )
        for (const [clientId, uplink] of uplinks) store.keepUplink(clientId, uplink)
        await durable(store)
        for (const [clientId, uplink] of uplinks) {
          uplink.broker = 'received'
          store.keepUplink(clientId, uplink)
        }
        await durable(store)
        store.keepUplink('a2', uplinkOf(2, { ...brief, broker: 'sent' }))
        await store.release(new Set([0]))
        const underWay = (sessions: readonly StoredSession[]) =>
          sessions.flatMap(({ record, uplinks: all }) =>
            all.map((one) => `${record.lasting.clientId} ${one.token} ${'broker' in one ? one.broker : ''}`),
          )
        const again = await loaded(store, new Set([0]))
        expect(underWay(again).sort()).toEqual(['a1 1 received', 'a2 1 received', 'a2 2 waiting'])
        store.dropUplink('a1', 1)
        store.dropUplink('a2', 2)
        store.keepUplink('c1', uplinkOf(2, { ...brief, broker: 'sent' }))
        await durable(store)
        await store.close()
        const after = await open(slotOf)
        expect(underWay(await loaded(after)).sort()).toEqual([
          'a2 1 received',
          'c1 1 received',
          'c1 2 waiting',
        ])
        after.dropUplink('a2', 1)
        after.dropUplink('c1', 1)
        await after.close()
        expect(underWay(await loaded(await open(slotOf)))).toEqual(['c1 2 waiting'])
      })

      it('gives many sessions piece by piece', async () => {
        const store = await open(slotOf)
        for (let i = 0; i < 1000; i++) store.save(richSession(`a${i}`))
        await store.close()
        const pieces: number[] = []
        for await (const piece of (await open(slotOf)).load()) pieces.push(piece.length)
        expect(pieces.reduce((sum, one) => sum + one, 0)).toBe(1000)
        expect(pieces.length).toBeGreaterThan(1)
      }, 30_000)
    })

    it('does not mind a wall clock that is set while it runs', async () => {
      const store = await open()
      const session = sessionOf('s')
      store.save(session)
      await durable(store)
      const hour = 3_600_000
      const real = Date.now.bind(Date)
      vi.spyOn(Date, 'now').mockImplementation(() => real() + 24 * hour)
      session.heardAt = performance.now() - 1000
      store.saveProgress(session)
      const message = messageOf(1, { expiresAt: performance.now() + hour })
      store.keepMessage('s', message)
      const { record, messages } = await only()
      const { toMonotonic } = (opened as Store).time
      expect(Math.abs(toMonotonic(record.progress.heardAt) - session.heardAt)).toBeLessThan(100)
      expect(Math.abs(Number(messages[0]?.at) - message.at)).toBeLessThan(100)
      expect(Math.abs(Number(messages[0]?.expiresAt) - Number(message.expiresAt))).toBeLessThan(100)
    })
  })
}
