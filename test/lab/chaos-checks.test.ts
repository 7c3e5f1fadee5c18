// What `npm run chaos` checks with: each of these must notice what it is there for.

import { describe, expect, it } from 'vitest'
import { Books, beginOutage, type Outage } from '../../lab/chaos/books.ts'
import { DeadLetterBooks } from '../../lab/chaos/dead-letters.ts'
import { LogFaults } from '../../lab/chaos/log-faults.ts'
import { planRound } from '../../lab/chaos/plan.ts'
import { choosePoison } from '../../lab/chaos/poison.ts'
import { seeded } from '../../lab/chaos/random.ts'
import { roles } from '../../lab/chaos/roles.ts'
import { SleepWatch } from '../../lab/chaos/sleep.ts'
import { TopicWatch } from '../../lab/chaos/topic-watch.ts'
import { Wills } from '../../lab/chaos/wills.ts'
import type { Packet } from '../../src/codec/v1/frame.ts'

const label = { sender: 'c01', topic: 'up/c01/x', number: 1 }

describe('the books of chaos', () => {
  const booksWith = (qos: number, outages: Outage[] = []) => {
    const books = new Books(outages)
    books.send(label, 'witness', qos)
    return books
  }

  it('miss what was acknowledged and did not arrive, once', () => {
    const books = booksWith(1)
    expect(books.missing).toBe(0)
    books.acknowledge(1, 'witness')
    expect(books.missing).toBe(1)
    expect(books.writeOff()).toEqual([expect.stringContaining('QoS 1 message 1>witness on up/c01/x')])
    expect(books.writeOff()).toEqual([])
    expect(books.lost).toBe(1)
    expect(books.arrive(label, 'witness')).toContain('after all')
  })

  it('are content with what arrived before its acknowledgement, and with QoS 1 that comes again', () => {
    const books = booksWith(1)
    expect(books.arrive(label, 'witness')).toBeUndefined()
    books.acknowledge(1, 'witness')
    expect(books.arrive(label, 'witness')).toBeUndefined()
    expect(books).toMatchObject({ missing: 0, repeated: 1, duplicated: 0 })
  })

  it('notice QoS 2 that comes again, and what nobody sent', () => {
    const books = booksWith(2)
    books.arrive(label, 'witness')
    expect(books.arrive(label, 'witness')).toContain('2 times')
    expect(books.arrive({ ...label, number: 2 }, 'witness')).toContain('nobody sent')
    expect(books.duplicated).toBe(1)
  })

  it('excuse QoS 2 that comes again when the broker was restarted meanwhile', () => {
    const outages: Outage[] = []
    const books = booksWith(2, outages)
    books.arrive(label, 'witness')
    const outage = beginOutage()
    outages.push(outage)
    outage.end()
    expect(books.arrive(label, 'witness')).toBeUndefined()
    expect(books).toMatchObject({ excused: 1, duplicated: 0 })
  })
})

describe('the wills of chaos', () => {
  it('must come from the dead, once', () => {
    const wills = new Wills(true)
    wills.begin('c18', 1)
    wills.end('c18', 1, 'dead')
    expect(wills.open).toBe(1)
    expect(wills.arrive('c18', 1)).toBeUndefined()
    expect(wills.open).toBe(0)
    expect(wills.arrive('c18', 1)).toContain('came 2 times')
  })

  it('must not come from the living, nor from those that left', () => {
    const wills = new Wills(true)
    wills.begin('c01', 1)
    expect(wills.arrive('c01', 1)).toContain('lives')
    wills.end('c01', 1, 'left')
    expect(wills.arrive('c01', 1)).toContain('had left')
  })

  it('of the living are tolerated with MQTT 3.1.1, and where the broker stopped', () => {
    const old = new Wills(false)
    old.begin('c01', 1)
    expect(old.arrive('c01', 1)).toBeUndefined()
    const wills = new Wills(true)
    wills.begin('c01', 1)
    wills.brokerStops()
    expect(wills.arrive('c01', 1)).toBeUndefined()
    expect(wills.byBroker).toBe(1)
    wills.end('c01', 1, 'dead')
    expect(wills.open).toBe(1) // its own is still due
  })
})

describe('the wills of those that their owner may be unable to hear', () => {
  it('may come early where their keep-alive is shorter than that, and never otherwise', () => {
    const wills = new Wills(true)
    wills.begin('c00', 1, 60_000)
    wills.begin('c18', 1, 2000)
    wills.begin('c17', 1, 2000)
    const end = wills.beginSilence((sensor) => sensor !== 'c17')
    wills.begin('c19', 1, 2000)
    end()
    wills.begin('c20', 1, 2000)
    expect(
      ['c00', 'c17', 'c18', 'c19', 'c20'].map((sensor) => wills.arrive(sensor, 1) === undefined),
    ).toEqual([...[false, false, true, true, false]])
    expect(['c00', 'c18', 'c19', 'c20'].map((sensor) => wills.mayBeLost(sensor, 1))).toEqual([
      false,
      true,
      true,
      false,
    ])
    for (const sensor of ['c18', 'c20']) wills.end(sensor, 1, 'dead')
    expect([wills.open, wills.isSettled('c18', 1)]).toEqual([1, true]) // another one is due of nobody that may have had its own
  })
})

describe('the watch over sleepers', () => {
  const publish: Packet = {
    type: 'publish',
    dup: false,
    qos: 1,
    retain: false,
    topicIdType: 'normal',
    topicId: 1,
    msgId: 1,
    data: new Uint8Array(),
  }
  const asleep = () => {
    const watch = new SleepWatch()
    watch.toGateway({ type: 'disconnect', duration: 60 }, 0)
    expect(watch.fromGateway(publish, 1)).toBeUndefined()
    expect(watch.fromGateway({ type: 'disconnect', duration: null }, 2)).toBeUndefined()
    return watch
  }

  it('notices what is sent between the answer to DISCONNECT and the next PINGREQ, and after PINGRESP', () => {
    const watch = asleep()
    expect(watch.fromGateway(publish, 3)).toBe('PUBLISH to a sleeping sensor')
    watch.toGateway({ type: 'pingreq', clientId: 'c14' }, 10)
    expect(watch.fromGateway(publish, 11)).toBeUndefined()
    expect(watch.fromGateway({ type: 'pingresp' }, 12)).toBeUndefined()
    expect(watch.fromGateway(publish, 13)).toBe('PUBLISH to a sleeping sensor')
  })

  it('takes no answer to a PINGREQ that waited for a slow start for the answer to a younger one', () => {
    const watch = asleep()
    for (const at of [100, 300, 500, 3000]) watch.toGateway({ type: 'pingreq', clientId: 'c14' }, at)
    for (const at of [3100, 3101, 3102]) watch.fromGateway({ type: 'pingresp' }, at)
    expect(watch.fromGateway(publish, 3200)).toBeUndefined()
    expect(watch.fromGateway({ type: 'pingresp' }, 3300)).toBeUndefined()
    expect(watch.fromGateway(publish, 3400)).toBe('PUBLISH to a sleeping sensor')
  })

  it('takes a sensor for awake as long as something comes before the PINGRESP, however long that takes', () => {
    const watch = asleep()
    watch.toGateway({ type: 'pingreq', clientId: 'c14' }, 100)
    for (let now = 1000; now < 10_000; now += 1000) expect(watch.fromGateway(publish, now)).toBeUndefined()
    expect(watch.fromGateway({ type: 'pingresp' }, 10_000)).toBeUndefined()
    expect(watch.fromGateway(publish, 10_001)).toBe('PUBLISH to a sleeping sensor')
  })

  it('lets answers pass, but not without something to answer', () => {
    const watch = asleep()
    expect(watch.fromGateway({ type: 'disconnect', duration: null }, 100)).toBeUndefined()
    expect(watch.fromGateway({ type: 'disconnect', duration: null }, 60_000)).toContain('DISCONNECT')
  })

  it('knows that CONNECT ends the sleep', () => {
    const watch = asleep()
    const about = { will: false, cleanSession: false, protocolId: 1, duration: 60 }
    watch.toGateway({ type: 'connect', clientId: 'c14', ...about }, 10)
    expect(watch.fromGateway(publish, 11)).toBeUndefined()
  })
})

describe('the watch over topics', () => {
  const register = (msgId: number): Packet => ({ type: 'register', topicId: 0, msgId, topicName: 'up/x' })
  const regack = (msgId: number, returnCode: 0 | 1): Packet => ({
    type: 'regack',
    topicId: 7,
    msgId,
    returnCode,
  })

  it('notices a name that has to be registered again, and not one that was refused for now', () => {
    const watch = new TopicWatch()
    watch.toGateway(register(1))
    watch.fromGateway(regack(1, 1))
    expect(watch.toGateway(register(2))).toEqual([])
    watch.fromGateway(regack(2, 0))
    expect(watch.toGateway(register(2))).toEqual([]) // a repetition
    expect(watch.toGateway(register(3))).toEqual(['had to register up/x again'])
    expect(watch.registersAgain).toBe(1)
  })
})

describe('the dead letters of chaos', () => {
  const letter = { topic: 'poison/c20', qos: 2, octets: 801 }
  const booksWith = (isAcknowledged: boolean) => {
    const books = new DeadLetterBooks()
    books.send('c20', letter)
    if (isAcknowledged) books.acknowledge('c20', letter)
    return books
  }

  it('must be there for poison that was acknowledged, and may be there for what was not', () => {
    expect(booksWith(true).check('c20', [])).toEqual([expect.stringContaining('is no dead letter')])
    expect(booksWith(true).check('c20', [letter])).toEqual([])
    expect(booksWith(false).check('c20', [])).toEqual([])
    expect(booksWith(false).check('c20', [letter])).toEqual([])
  })

  it('must be nothing else, and QoS 2 is there once', () => {
    const honest = { topic: 'up/c20/x', qos: 2, octets: 15 }
    expect(booksWith(true).check('c20', [letter, honest])).toEqual([expect.stringContaining('was no poison')])
    expect(booksWith(true).check('c20', [letter, letter])).toEqual([expect.stringContaining('twice')])
  })

  it('are not expected again after they were discarded', () => {
    const books = booksWith(true)
    books.discard('c20', [letter])
    expect(books.check('c20', [])).toEqual([])
    expect(books.found).toBe(1)
  })
})

describe('poison', () => {
  const sent = roles.flatMap((role) =>
    Array.from({ length: 200 }, (_, i) => choosePoison(role, i, seeded(i, role.name))),
  )

  it('is too long for the broker, or forbidden there; all of it fits a datagram', () => {
    for (const one of sent) {
      const text = one.kind === 'publish' ? one.payload : one.filter
      expect(one.isForbidden || text.length >= 700).toBe(true)
      expect(text.length).toBeLessThan(1400)
    }
    expect(new Set(sent.map(({ kind, isForbidden }) => `${kind} ${isForbidden}`)).size).toBe(4)
  })
})

describe('the plan of a round', () => {
  it('has poison in the share that was asked for, on which kills do not depend', () => {
    const plans = (poison: number) =>
      Array.from({ length: 200 }, (_, round) => planRound(1, round, 1500, poison))
    const count = (poison: number) => plans(poison).filter(({ isPoisoned }) => isPoisoned).length
    expect([count(0), count(1)]).toEqual([0, 200])
    expect(count(0.3)).toBeGreaterThan(40)
    expect(count(0.3)).toBeLessThan(80)
    expect(plans(0.3).map(({ kills }) => kills)).toEqual(plans(0).map(({ kills }) => kills))
  })

  it('is the same for the same seed, and another for another', () => {
    const plans = (seed: number) => Array.from({ length: 20 }, (_, round) => planRound(seed, round, 1500))
    expect(plans(1)).toEqual(plans(1))
    expect(plans(1)).not.toEqual(plans(2))
  })
})

describe('the log of a gateway in a round', () => {
  const quiet = { hasDatabaseTrouble: false, hasNodes: true, hasDeposed: false, hasBrokerTrouble: false }
  const lineAt = (ms: number): string =>
    JSON.stringify({
      level: 'error',
      time: new Date(ms).toISOString(),
      msg: 'the database server 127.0.0.1:1: ended',
    })

  it('has faults that nothing of the round accounts for, and those of the end of the round before are accounted for by that one', () => {
    const log = new LogFaults()
    expect(log.of([lineAt(1500)], { ...quiet, hasDatabaseTrouble: true }, 1000)).toEqual([])
    expect(log.of([lineAt(1900), lineAt(2500)], quiet, 2000)).toEqual([lineAt(2500)])
    expect(log.of([lineAt(2900), lineAt(3500)], { ...quiet, hasDatabaseTrouble: true }, 3000)).toEqual([
      lineAt(2900),
    ])
  })
})
