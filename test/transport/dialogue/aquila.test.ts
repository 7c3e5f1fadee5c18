// Aquila bridges: example frames octet for octet, one frame at a time, the settings they want, pairing that is refused.

import { describe, expect, it } from 'vitest'
import { createAquila } from '../../../src/transport/dialogue/aquila.ts'
import { createSlip } from '../../../src/transport/framing/slip.ts'
import { hexOf, octets } from '../../support/octets.ts'

const M1 = octets('0a 04 04 01 00 3c 6d 31 33 35')
const FROM_2 = octets('c0 c8 3c 05 fe 01 02 00 0a 04 04 01 00 3c 6d 31 33 35 71 d6 c0')
const slip = createSlip({ longest: 200, crc: 'xmodem' })
const frame = (hex: string) => slip.encode(octets(hex))
const [NACK, ACK, WANTS_SETTINGS] = ['00 00 02 00', '00 00 02 01', '00 00 02 02'].map(frame) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
]

function begun(key?: Uint8Array) {
  const bridge = createAquila({ pan: 0x2a, key }, { longest: 90, inFlight: 1, confirm: 5000 })
  bridge.begin(0)
  const send = (to: string | undefined, now = 0) => {
    const one = bridge.encode(M1, to, 0)
    if (typeof one === 'string') return one
    return bridge.isReady ? hexOf(bridge.seal(one, now)) : 'not ready'
  }
  return { bridge, send }
}

describe('an Aquila bridge', () => {
  it('is given a CONNECT for node 2 like this [LINK-FR-2]', () => {
    expect(begun().send('aquila/2')).toBe('c0 05 fe 01 02 00 0a 04 04 01 00 3c 6d 31 33 35 24 2d c0')
  })

  it('gives a CONNECT of node 2, with its link quality [LINK-FR-2]', () => {
    expect(begun().bridge.push(FROM_2, 0)).toEqual([
      { type: 'message', bytes: M1, from: 'aquila/2', signal: { lqi: 200 } },
    ])
  })

  it('has one frame at a time until ACK, NACK or 5 s [LINK-DL-1, LINK-DL-2]', () => {
    const { bridge, send } = begun()
    send('aquila/2')
    expect(send('aquila/3')).toBe('not ready')
    expect(bridge.push(ACK, 10)).toEqual([])
    send('aquila/2', 20)
    expect(bridge.push(NACK, 30)).toEqual([{ type: 'lost', reason: 'undelivered' }])
    expect(bridge.push(NACK, 40)).toEqual([])
    send('aquila/2', 50)
    expect([bridge.deadline, bridge.expire(5049)]).toEqual([5050, []])
    expect([bridge.expire(5050), bridge.isReady]).toEqual([[{ type: 'lost', reason: 'unconfirmed' }], true])
  })

  it('is told its settings 2.2 s after the line opened, and whenever it asks, between messages', () => {
    const { bridge, send } = begun()
    expect([bridge.deadline, bridge.ownFrame(2199)]).toEqual([2200, undefined])
    send('aquila/2', 2100)
    expect(bridge.ownFrame(2200)).toBeUndefined()
    bridge.push(ACK, 2300)
    expect(hexOf(bridge.ownFrame(2300) ?? new Uint8Array())).toMatch(/^c0 13 02 2a( ff){16} .. .. c0$/)
    expect([bridge.isReady, bridge.push(NACK, 2400), bridge.isReady]).toEqual([false, [], true])
    expect(bridge.ownFrame(2500)).toBeUndefined()
    bridge.push(WANTS_SETTINGS, 3000)
    expect(bridge.ownFrame(3000)).toBeDefined()
  })

  it('is told the key of its network, where it has one', () => {
    const { bridge } = begun(Uint8Array.from({ length: 16 }, (_, i) => i))
    const [one] = slip.push(bridge.ownFrame(2200) ?? new Uint8Array())
    expect(one?.fault === undefined && hexOf(one?.frame ?? new Uint8Array())).toBe(
      '13 02 2a 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f',
    )
  })

  it('cannot send to all, nor to addresses that are none [LINK-GW-9]', () => {
    const { send } = begun()
    expect([undefined, 'aquila/0', 'aquila/65536', 'lora/5'].map((to) => send(to))).toEqual(
      Array(4).fill('undelivered'),
    )
    expect(send('aquila/65535')).toMatch(/^c0 05 fe 01 ff ff 0a/)
  })

  it('tells once of nodes that want to be paired, and counts them', () => {
    const { bridge } = begun()
    const wish = frame('00 00 03 03 02 00 00 03 03 77')
    expect(bridge.push(wish, 0).map(({ type }) => type)).toEqual(['notice', 'lost'])
    expect(bridge.push(wish, 1).map(({ type }) => type)).toEqual(['lost'])
  })

  it('garbles frames, and sends others: counted by what is wrong [LINK-FR-10]', () => {
    const { bridge } = begun()
    const garbled = FROM_2.slice()
    garbled[9] = 0x55
    expect(bridge.push(garbled, 0)).toMatchObject([{ type: 'lost', reason: 'checksum' }])
    expect(bridge.push(frame('00 00 02 09'), 0)).toMatchObject([{ reason: 'unknown-frame' }])
    expect(bridge.push(frame('00 00'), 0)).toMatchObject([{ reason: 'unknown-frame' }])
    expect(bridge.push(frame(`c8 3c 05 fe 01 00 00 ${hexOf(M1)}`), 0)).toMatchObject([{ reason: 'noise' }])
  })
})
