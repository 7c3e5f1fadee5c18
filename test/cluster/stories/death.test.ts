// The node that serves dies: the other one goes on with everything, and the sensors do not notice.

import { expect, it } from 'vitest'
import { haveMosquitto } from '../../support/broker.ts'
import { CLUSTER_START, LEASE, Pair } from '../../support/cluster.ts'
import { until } from '../../support/gateway.ts'
import { hasPostgres } from '../../support/postgres.ts'

const here = hasPostgres && haveMosquitto

it.runIf(here)(
  'a node that was killed is replaced by the one that stands by, with topics, queues, sleepers and exchanges as they were [SN-SESS-10]',
  async () => {
    const pair = await Pair.open()
    const [active, standby] = await pair.nodes()
    expect(await standby.ready()).toEqual({ status: 503, reasons: ['standing by: node gw-11 serves'] })

    const [talker, listener, sleeper, mute] = await Promise.all([1, 2, 3, 4].map(() => pair.sensor(active)))
    if (!talker || !listener || !sleeper || !mute) throw new Error('four sensors')
    await talker.connect('talker', { will: 'will/talker' })
    await listener.connect('listener', { will: 'will/listener' })
    await sleeper.connect('sleeper')
    await mute.connect('mute', { will: 'will/mute', duration: 5 })
    const topicId = await talker.register('up/talker')
    expect(await talker.publish(topicId, 'before')).toBe(0)
    await listener.subscribe('down/listener', 1)
    await sleeper.subscribe('down/sleeper', 1)
    await sleeper.ask({ type: 'disconnect', duration: 300 }, 'disconnect')
    await pair.publish('down/sleeper', 'while asleep', 1)
    const half = talker.publication(topicId, 'half', 2)
    await talker.ask(half, 'pubrec')

    active.signal('SIGKILL')
    for (const one of [talker, listener, sleeper]) one.turnTo(standby)
    const begun = performance.now()
    await talker.ask(half, 'pubrec')
    expect(performance.now() - begun).toBeLessThan(1000 + LEASE + 1000)
    await standby.isReady()
    expect(standby.lines.map(({ msg }) => msg)).toContain('taking over: its process is gone')

    await talker.ask({ type: 'pubrel', msgId: half.msgId }, 'pubcomp')
    expect(await talker.publish(topicId, 'after')).toBe(0)
    await pair.publish('down/listener', 'hello', 1)
    const woken = listener.peer.next('publish', 20_000)
    const { data, topicId: known, msgId } = await woken
    expect(Buffer.from(data).toString()).toBe('hello')
    listener.peer.send({ type: 'puback', topicId: known, msgId, returnCode: 0 })
    sleeper.peer.send({ type: 'pingreq', clientId: 'sleeper' })
    const kept = await sleeper.peer.next('publish', 20_000)
    expect(Buffer.from(kept.data).toString()).toBe('while asleep')
    // a gateway that stood still for a moment has thrown the answer away: a sensor answers each repetition
    const answer = () =>
      sleeper.peer.send({ type: 'puback', topicId: kept.topicId, msgId: kept.msgId, returnCode: 0 })
    answer()
    const answers = setInterval(answer, 500)
    await sleeper.peer.next('pingresp', 20_000).finally(() => clearInterval(answers))

    await until(() => pair.published.includes('up/talker after'), 20_000)
    await until(() => pair.published.includes('will/mute gone'), 40_000)
    expect(pair.published.filter((one) => one === 'up/talker half')).toHaveLength(1)
    expect(pair.published.filter((one) => one.startsWith('will/'))).toEqual(['will/mute gone'])
    for (const one of [talker, listener]) expect(one.peer.types()).not.toContain('disconnect')
  },
  CLUSTER_START,
)
