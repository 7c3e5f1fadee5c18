// Thousands of sensors that come to a node in one turn, as after a stall: whoever is told of them must understand it.

import { afterEach, expect, it, vi } from 'vitest'
import { peerKey } from '../../../src/session/peers.ts'
import { readLinkMessage } from '../../../src/workers/cluster/link-messages.ts'
import { SlotTalk, type TalkLinks } from '../../../src/workers/cluster/slot-talk.ts'
import { Whereabouts } from '../../../src/workers/cluster/whereabouts.ts'

afterEach(() => void vi.useRealTimers())

it('are told in messages of which each is short enough to be taken', () => {
  const sent: object[] = []
  const links: TalkLinks = { to: () => ({ sendMessage: (one) => void sent.push(one) }), up: () => ['b'] }
  const talk = new SlotTalk({
    ...{ self: 'a', owners: { ownerOf: () => undefined, look() {} }, links },
    whereabouts: new Whereabouts(() => undefined, 2000),
    serves: () => true,
    displace() {},
    onUsed() {},
    onSettled() {},
  })
  const keys = Array.from({ length: 10_000 }, (_, i) =>
    peerKey(0, `fd00::${i.toString(16)}`, 5000, new Uint8Array(32).fill(i)),
  )
  for (const key of keys) talk.noteBound([key, 1], 'b', false)
  talk.tellBound()
  const told = sent.map((one) => readLinkMessage(JSON.parse(JSON.stringify(one))))
  expect(told.flatMap((one) => (one?.type === 'bound' ? one.places : []))).toEqual(
    keys.map((key) => [key, 1]),
  )
  expect(Math.max(...sent.map((one) => JSON.stringify(one).length))).toBeLessThan(1_048_576)
})
