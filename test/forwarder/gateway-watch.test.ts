// What a forwarder knows of its gateway: whether it is there, serves, and takes what nodes say; and when another way is tried.

import { describe, expect, it } from 'vitest'
import { many, Rig, wire } from './rig.ts'

const SEARCH = 'gateway 030101'
const WRAPPED = 'gateway 06fe00006677030101'
const PING = 'gateway 0216'
const GWINFO = '030207'
const WRAPPED_GWINFO = '06fe03006677030207'
const M1 = '0a040401003c6d313335'

describe('the gateway', () => {
  it('is asked at once, bare and as for a node, and serves when both are answered', () => {
    const rig = new Rig([wire()])
    expect(rig.open()).toEqual(['unknown -', SEARCH, WRAPPED])
    expect(rig.hear(GWINFO)).toEqual([])
    expect(rig.hear(WRAPPED_GWINFO)).toEqual(['serving 7'])
  })

  it('is asked again every keepalive, and nothing is said while it goes on serving', () => {
    const rig = Rig.serving([wire()])
    for (let round = 0; round < 5; round++) {
      expect(rig.pass(24_000)).toEqual([])
      expect(rig.pass(1000)).toEqual([SEARCH, WRAPPED])
      rig.hear(GWINFO)
      expect(rig.hear(WRAPPED_GWINFO)).toEqual([])
    }
    expect(rig.core.books.dropped).toEqual({})
  })

  it('that takes nothing from nodes is told apart from one that is not there [LINK-FW-6]', () => {
    const rig = new Rig([wire()])
    rig.open()
    rig.hear(GWINFO)
    expect(rig.pass(1500)).toEqual([SEARCH, WRAPPED])
    rig.hear(GWINFO)
    expect(rig.pass(1500)).toEqual(['refusing 7'])
    expect(rig.pass(25_000)).toEqual([SEARCH, WRAPPED])
    rig.hear(GWINFO)
    expect(rig.hear(WRAPPED_GWINFO)).toEqual(['serving 7'])
  })

  it('that is there and answers no search, as one without its broker, is neither silent nor left', () => {
    const rig = Rig.serving([wire()])
    rig.pass(25_000)
    const said: string[] = []
    for (let i = 0; i < 30; i++) {
      const asked = rig.pass(1000)
      said.push(...asked)
      if (asked.includes(PING)) said.push(...rig.hear('0218'))
    }
    expect(said.filter((what) => !what.startsWith('gateway'))).toEqual(['not-serving 7'])
    expect(said).toContain(PING)
    expect(rig.core.books.dropped).toEqual({})
  })

  it('is silent after three questions in vain, told once, and another way is asked for again and again', () => {
    const rig = Rig.serving([wire()])
    const said = rig.pass(25_000 + 15_000)
    expect(said.filter((what) => !what.startsWith('gateway'))).toEqual(['silent 7', 'renew'])
    rig.core.watch.onNoSecondWay()
    expect(rig.pass(60_000).filter((what) => !what.startsWith('gateway'))).toEqual(['renew'])
    expect(rig.hear(GWINFO)).toEqual(['abandon'])
    expect([...rig.pass(5000), ...rig.hear(GWINFO), ...rig.hear(WRAPPED_GWINFO)]).toContain('serving 7')
  })

  it('that loses one question or two is not told as silent', () => {
    const rig = Rig.serving([wire()])
    expect(rig.pass(25_000 + 10_000).filter((what) => !what.startsWith('gateway'))).toEqual([])
    rig.hear(GWINFO)
    rig.hear(WRAPPED_GWINFO)
    expect(rig.pass(20_000)).toEqual([])
  })

  it('is asked before its time where nodes speak and nothing comes back, and not more often than that', () => {
    const rig = Rig.serving([wire()], { keepalive: 3_600_000 })
    rig.node(M1)
    rig.pass(9999)
    rig.node(M1)
    expect(rig.pass(0)).toEqual([])
    rig.pass(1)
    rig.node(M1)
    expect(rig.pass(0)).toEqual([SEARCH, WRAPPED])
    expect(rig.pass(15_000).filter((what) => !what.startsWith('gateway'))).toEqual(['silent 7', 'renew'])
  })

  it('is not asked before its time where what nodes say is answered', () => {
    const rig = Rig.serving([wire()], { keepalive: 3_600_000 })
    for (let i = 0; i < 20; i++) {
      rig.node(M1)
      rig.hear('04fe0001030500')
      expect(rig.pass(6000)).toEqual([])
    }
  })

  it('is asked a last time before a second way takes the place of the first', () => {
    const rig = Rig.serving([wire()])
    rig.pass(40_000)
    expect(rig.do((turn) => rig.core.watch.onSecondWay(turn))).toEqual([SEARCH, WRAPPED, PING])
    expect(rig.pass(2999)).toEqual([])
    expect(rig.pass(1)).toEqual(['adopt'])
    expect(rig.open()).toEqual(['unknown 7', SEARCH, WRAPPED])
  })

  it('keeps its first way if that answers, before or after the second one is open', () => {
    const before = Rig.serving([wire()])
    before.pass(40_000)
    expect(before.hear('04fe0001030500')).toEqual(['abandon', 'node 0 /dev/01:0 030500'])
    expect(before.do((turn) => before.core.watch.onSecondWay(turn))).toEqual(['abandon'])
    const after = Rig.serving([wire()])
    after.pass(40_000)
    after.do((turn) => after.core.watch.onSecondWay(turn))
    expect(after.hear('0218')).toEqual(['abandon'])
    expect(after.pass(4000)).not.toContain('adopt')
  })
})

describe('SEARCHGW of a node', () => {
  it("is answered with the gateway's GwId, to the node alone, while the gateway serves", () => {
    const rig = Rig.serving([wire(), many(), wire('', { kind: 'encap' })])
    expect(rig.node('030101')).toEqual(['node 0 /dev/01:0 030207'])
    expect(rig.node('030100', '10.0.0.1:5000', 1)).toEqual(['node 1 10.0.0.1:5000 030207'])
    expect(rig.node('05fe003031030101', '/dev/x:0', 2)).toEqual(['node 2 /dev/x:0 05fe003031030207'])
    expect(rig.core.books).toMatchObject({ searches: 3, up: { messages: 0 } })
  })

  it('goes to the gateway where the forwarder is not to answer, or does not know whether the gateway serves', () => {
    expect(Rig.serving([wire()], { answerSearch: false }).node('030101')).toEqual(['gateway 04fe0001030101'])
    const rig = new Rig([wire()])
    rig.open()
    expect(rig.node('030101')).toEqual(['gateway 04fe0001030101'])
    // which says all that there is to know
    expect(rig.hear('04fe0101030207')).toEqual(['serving 7', 'node 0 /dev/01:0 030207'])
  })

  it('is not answered while the gateway is silent: a node must find another one', () => {
    const rig = Rig.serving([wire()])
    rig.pass(40_000)
    expect(rig.node('030101')).toEqual(['gateway 04fe0001030101'])
  })

  it('is answered with the GwId of an ADVERTISE and of another gateway that took over', () => {
    const rig = Rig.serving([wire()])
    expect(rig.hear('0500090384')).toEqual(['serving 9'])
    expect(rig.node('030101')).toEqual(['node 0 /dev/01:0 030209'])
    expect(rig.node(M1)).toEqual([`gateway 04fe0001${M1}`])
  })
})
