// XBee modules in API mode: the frames of the manufacturer and of this project octet for octet, confirmations in virtual time,
// addresses that change, and what a module is told of its settings.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Heard } from '../../../src/transport/dialogue/dialogue.ts'
import { createXbee, type XbeeMode } from '../../../src/transport/dialogue/xbee/xbee.ts'
import { createApiFrames } from '../../../src/transport/framing/api-frames.ts'
import { hexOf, octets } from '../../support/octets.ts'

const M1 = octets('0a 04 04 01 00 3c 6d 31 33 35')
const USUAL = { longest: 84, inFlight: 1, confirm: 5000 }
const NODE = 'xbee/0013a20012345678'
const data = (hex: string, mode: XbeeMode = 1) =>
  createApiFrames({ longest: 2000, escaped: mode === 2 }).encode(octets(hex))

/** A dialogue that has begun at 0, its questions asked. */
function begun(mode: XbeeMode = 1, options: { inFlight?: number; confirm?: number; longest?: number } = {}) {
  const xbee = createXbee(mode, { ...USUAL, ...options })
  xbee.begin(0)
  const asked: string[] = []
  for (let frame = xbee.ownFrame(0); frame; frame = xbee.ownFrame(0)) asked.push(hexOf(frame))
  /** Sends as a line does, if it may. */
  const send = (to: string | null = NODE, now = 0, message = M1, radius = 0): string => {
    const frame = xbee.encode(message, to ?? undefined, radius)
    if (typeof frame === 'string') return frame
    return xbee.isReady ? hexOf(xbee.seal(frame, now)) : 'not ready'
  }
  const push = (hex: string, now = 0): readonly Heard[] => xbee.push(data(hex, mode), now)
  return { xbee, asked, send, push }
}

const idOf = (frame: string): number => Number.parseInt(frame.split(' ')[4] ?? '', 16)
const statusOf = (id: number, delivery = 0, short = '56 78'): string =>
  `8b ${id.toString(16).padStart(2, '0')} ${short} 00 ${delivery.toString(16).padStart(2, '0')} 00`
const reasonsOf = (heard: readonly Heard[]) =>
  heard.flatMap((one) => (one.type === 'lost' ? [one.reason] : []))
const noticesOf = (heard: readonly Heard[]) =>
  heard.flatMap((one) => (one.type === 'notice' ? [one.text] : []))

describe('golden frames of XBee', () => {
  it('Transmit Request to all, of the manufacturer, AP=1 [LINK-FR-2]', () => {
    const { send } = begun()
    const text = Uint8Array.from(Buffer.from('Broadcast'))
    expect(send(null, 0, text, 1)).toBe(
      '7e 00 17 10 00 00 00 00 00 00 00 ff ff ff fe 01 00 42 72 6f 61 64 63 61 73 74 60',
    )
  })

  it('Transmit Request with a CONNECT, AP=2 [LINK-FR-2]', () => {
    const xbee = createXbee(2, USUAL)
    const frame = xbee.encode(M1, NODE, 0)
    if (typeof frame === 'string') throw new Error(frame)
    expect(hexOf(xbee.seal(frame, 0))).toBe(
      '7e 00 18 10 01 00 7d 33 a2 00 12 34 56 78 ff fe 00 00 0a 04 04 01 00 3c 6d 31 33 35 d3',
    )
  })

  it.each([
    [
      'Receive Packet 90, AP=2',
      2,
      '7e 00 16 90 00 7d 33 a2 00 12 34 56 78 56 78 01 0a 04 04 01 00 3c 6d 31 33 35 82',
    ],
    [
      'Explicit Rx 91, AP=1',
      1,
      '7e 00 1c 91 00 13 a2 00 12 34 56 78 56 78 e8 e8 00 11 c1 05 01 0a 04 04 01 00 3c 6d 31 33 35 da',
    ],
  ] as const)('%s [LINK-FR-2]', (_, mode, frame) => {
    // biome-ignore format: frames on one line
    expect(begun(mode).xbee.push(octets(frame), 0)).toEqual([
      { type: 'message', bytes: M1, from: NODE, isBroadcast: false, signal: undefined },
    ])
  })

  it.each([
    ['Receive Packet 90', '7e 00 12 90 00 13 a2 00 41 ae b5 4e ff fe c1 54 78 44 61 74 61 c4'],
    ['Rx of 64 bits 80', '7e 00 11 80 00 13 a2 00 12 34 56 78 5e 01 54 78 44 61 74 61 11'],
    ['Rx of 16 bits 81', '7e 00 0b 81 12 34 5e 01 54 78 44 61 74 61 93'],
  ])('%s with text, of the manufacturer, is read as frame and told as noise [LINK-FR-2]', (_, frame) => {
    const [one] = begun().xbee.push(octets(frame), 0)
    expect(one).toEqual({ type: 'lost', reason: 'noise', octets: Uint8Array.from(Buffer.from('TxData')) })
  })

  it('Transmit Status 8B of the manufacturer, AP=2 [LINK-FR-2]', () => {
    const xbee = createXbee(2, USUAL)
    const frame = xbee.encode(M1, NODE, 0)
    if (typeof frame === 'string') throw new Error(frame)
    xbee.seal(frame, 0)
    expect([xbee.unconfirmed, xbee.push(octets('7e 00 07 8b 01 7d 84 00 00 01 71'), 0)]).toEqual([1, []])
  })

  it('asks AP, NP, SH, SL, AO and VR at the start [LINK-FR-2, LINK-DL-5]', () => {
    const { asked } = begun()
    expect(asked.map((frame) => Buffer.from(octets(frame).subarray(5, 7)).toString())).toEqual([
      'AP',
      'NP',
      'SH',
      'SL',
      'AO',
      'VR',
    ])
    expect(asked[1]).toBe('7e 00 04 08 02 4e 50 57')
  })
})

describe('confirmations of XBee', () => {
  it('never are there more frames without status than inFlight, whatever comes [LINK-DL-1]', () => {
    const step = fc.oneof(fc.constant('send'), fc.integer({ min: 0, max: 255 }), fc.constant('wait'))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 200 }), (inFlight, steps) => {
        const { xbee, send, push } = begun(1, { inFlight, confirm: 1000 })
        let now = 0
        for (const one of steps) {
          if (one === 'send') send(NODE, now)
          else if (one === 'wait') {
            now += 400
            xbee.expire(now)
          } else push(statusOf(Number(one)), now)
          expect(xbee.unconfirmed).toBeLessThanOrEqual(inFlight)
        }
      }),
    )
  })

  it('one that is late, or for another id, lets the next go after "confirm" only [LINK-DL-2]', () => {
    const { xbee, send, push } = begun(1, { confirm: 5000 })
    const id = idOf(send(NODE, 100))
    expect(send(NODE, 200)).toBe('not ready')
    expect(push(statusOf(id + 1), 300)).toEqual([])
    expect(reasonsOf(xbee.expire(5099))).toEqual([])
    expect(xbee.deadline).toBe(5100)
    expect(reasonsOf(xbee.expire(5100))).toEqual(['unconfirmed'])
    const next = idOf(send(NODE, 5200))
    expect(push(statusOf(id), 5300)).toEqual([])
    expect(xbee.unconfirmed).toBe(1)
    push(statusOf(next), 5400)
    expect(xbee.isReady).toBe(true)
  })

  it('ids run from 1 to 255 and begin again, without those that wait [LINK-DL-3]', () => {
    const { xbee, send, push } = begun(1, { inFlight: 2 })
    xbee.expire(2000) // ids of questions are free again
    const kept = idOf(send())
    const seen = Array.from({ length: 600 }, () => {
      const id = idOf(send())
      push(statusOf(id))
      return id
    })
    expect(new Set(seen).size).toBe(254)
    expect([Math.min(...seen), Math.max(...seen), seen.includes(kept)]).toEqual([1, 255, false])
  })

  it('a reset of the module ends what waits, and asks it anew [LINK-DL-4]', () => {
    const { xbee, send, push } = begun()
    send()
    const heard = push('8a 00', 50)
    expect([reasonsOf(heard), noticesOf(heard)]).toEqual([['undelivered'], ['XBee module: it was reset']])
    expect([xbee.isReady, xbee.ownFrame(50) === undefined]).toEqual([true, false])
    send()
    expect(reasonsOf(push('8a 02', 60))).toEqual([])
    expect(xbee.unconfirmed).toBe(1)
  })

  it('a failure is counted, and five of the kind "not there" in a row make a peer unreachable until it is heard', () => {
    const { xbee, send, push } = begun()
    push(`90 0013a20012345678 5678 01 ${hexOf(M1)}`)
    for (const delivery of [0x24, 0x25, 0x21, 0x24]) push(statusOf(idOf(send()), delivery))
    push(statusOf(idOf(send()), 0x00))
    for (let i = 0; i < 4; i++) push(statusOf(idOf(send()), 0x24))
    expect(xbee.unreachable).toEqual([])
    expect(reasonsOf(push(statusOf(idOf(send()), 0x25)))).toEqual(['undelivered'])
    expect(xbee.unreachable).toEqual([NODE])
    push(`90 0013a20012345678 5678 01 ${hexOf(M1)}`)
    expect(xbee.unreachable).toEqual([])
  })
})

describe('peers of XBee', () => {
  const shortOf = (frame: string): string => frame.split(' ').slice(13, 15).join(' ')

  it('are told apart by 64 bits, and spoken to with the 16 bits that were heard last [LINK-GW-1]', () => {
    const { send, push } = begun(1, { inFlight: 200 })
    expect(shortOf(send())).toBe('ff fe')
    for (const short of ['5678', '9abc']) {
      expect(push(`90 0013a20012345678 ${short} 01 ${hexOf(M1)}`)).toMatchObject([{ from: NODE }])
      expect(shortOf(send()).replace(' ', '')).toBe(short)
    }
    push(statusOf(idOf(send()), 0, '01 02'))
    expect(shortOf(send())).toBe('01 02')
    push(statusOf(idOf(send()), 0x24, 'ff fe'))
    expect(shortOf(send())).toBe('ff fe') // the module is to look for it
  })

  it('of 802.15.4 are answered in the kind in which they were heard', () => {
    const { send, push } = begun(1, { inFlight: 200 })
    expect(push(`80 0013a20012345678 5e 00 ${hexOf(M1)}`)).toMatchObject([
      { from: NODE, signal: { rssi: -94 } },
    ])
    expect(octets(send()).subarray(3, 15)).toMatchObject({ 0: 0x00, 2: 0x00, 3: 0x13, 9: 0x78, 10: 0 })
    expect(push(`81 1234 28 00 ${hexOf(M1)}`)).toMatchObject([{ from: 'xbee/1234', signal: { rssi: -40 } }])
    const sent = octets(send('xbee/1234'))
    expect(hexOf(sent.subarray(5, 8))).toBe('12 34 00')
    expect(sent[3]).toBe(0x01)
    const status = push(`89 ${sent[4]?.toString(16).padStart(2, '0')} 01`)
    expect(reasonsOf(status)).toEqual(['undelivered'])
  })

  it('what was sent to all is told so, of every kind [LINK-GW-10]', () => {
    const { push } = begun()
    for (const frame of [
      `90 0013a20012345678 5678 02 ${hexOf(M1)}`,
      `91 0013a20012345678 5678 e8 e8 0011 c105 02 ${hexOf(M1)}`,
      `80 0013a20012345678 5e 04 ${hexOf(M1)}`,
      `81 1234 5e 02 ${hexOf(M1)}`,
    ])
      expect(push(frame)).toMatchObject([{ type: 'message', isBroadcast: true }])
  })

  it('the radius of a message to all is in its frame [LINK-GW-9]', () => {
    const { send } = begun()
    expect([1, 3].map((radius) => octets(send(null, 0, M1, radius))[15])).toEqual([1, 3])
  })

  it('that no module can reach are not sent to', () => {
    const { send } = begun()
    expect([send('/dev/ttyUSB0'), send('xbee/12'), send('127.0.0.1')]).toEqual(Array(3).fill('undelivered'))
  })

  it('frames of other kinds are passed over where they are known, else counted', () => {
    const { push } = begun()
    expect(push('92 0013a20012345678 5678 01 01 0001 00 0001')).toEqual([])
    expect(push('91 0013a20012345678 5678 00 00 8031 0000 01 00')).toEqual([])
    expect(reasonsOf(push('f7 01'))).toEqual(['unknown-frame'])
    expect(reasonsOf(push('90 0013'))).toEqual(['unknown-frame'])
  })
})

describe('what a module is asked', () => {
  /** Answers all questions, in the order in which they are asked. */
  function answered(values: Readonly<Record<string, string>>, mode: XbeeMode = 1) {
    const { xbee, asked, push } = begun(mode)
    const heard = asked.flatMap((frame) => {
      const plain = createApiFrames({ longest: 100, escaped: mode === 2 }).push(octets(frame))[0]
      const question = plain?.fault === undefined ? (plain?.frame ?? new Uint8Array()) : new Uint8Array()
      const value = values[Buffer.from(question.subarray(2, 4)).toString()]
      const head = hexOf(question.subarray(1, 4))
      return value === '' ? [] : push(value === undefined ? `88 ${head} 01` : `88 ${head} 00 ${value}`, 20)
    })
    return { xbee, heard }
  }
  const FINE = { AP: '01', NP: '0054', SH: '0013a200', SL: '12345678', AO: '00', VR: '23a7' }

  it('keeps what it knows of the length of messages while it is asked again, and takes a new answer', () => {
    const { xbee } = answered({ ...FINE, NP: '0048' })
    xbee.begin(100)
    expect(xbee.longest).toBe(72)
  })

  it('says how long messages may be, and who it is', () => {
    const { xbee, heard } = answered({ ...FINE, NP: '0048' })
    expect(xbee.longest).toBe(72)
    expect(heard).toEqual([
      {
        type: 'notice',
        level: 'info',
        text: 'XBee module: address 0013a20012345678, firmware 23A7, at most 72 octets a message (NP)',
      },
    ])
    expect(xbee.expire(2000)).toEqual([])
  })

  it.each([
    [{ ...FINE, AO: '03' }, 'warn', 'ATAO0 and ATWR'],
    [{ ...FINE, AO: '01' }, 'info', 'ATAO0 and ATWR'],
    [{ ...FINE, AP: '02' }, 'warn', 'write api=2 in the url, or set ATAP1 and ATWR'],
    [{ ...FINE, AP: '04' }, 'warn', 'set ATAP1 and ATWR'],
  ])('%j is told with the command that mends it', (values, level, text) => {
    expect(answered(values).heard.slice(1)).toMatchObject([{ level, text: expect.stringContaining(text) }])
  })

  it('AO=2 of 802.15.4 is right, and peers not heard yet are spoken to in its frames', () => {
    const { xbee, heard } = answered({ ...FINE, AO: '02' })
    expect(heard).toHaveLength(1)
    const frame = xbee.encode(M1, NODE, 0)
    expect(typeof frame === 'string' ? undefined : frame[3]).toBe(0x00)
  })

  it('an old module of 802.15.4, which does not know AO, has frames of its own kind, also for all', () => {
    const { xbee } = answered({ AP: '01', SH: '0013a200', SL: '12345678', VR: '10ef' })
    const [one, all] = [NODE, undefined].map((to) => xbee.encode(M1, to, 0))
    expect(typeof one === 'object' && hexOf(one.subarray(3, 14))).toBe('00 00 00 13 a2 00 12 34 56 78 00')
    expect(typeof all === 'object' && hexOf(all.subarray(3, 14))).toBe('00 00 00 00 00 00 00 00 ff ff 00')
  })

  it('without any answer the link works, and transparent mode is told with the commands that mend it [LINK-DL-5]', () => {
    const { xbee, send } = begun(2)
    expect([xbee.deadline, xbee.expire(1999)]).toEqual([2000, []])
    const heard = xbee.expire(2000)
    expect(heard).toMatchObject([{ type: 'notice', level: 'warn' }])
    expect(noticesOf(heard)[0]).toContain('ATAP2,D61,D71,WR,CN')
    expect(xbee.deadline).toBeUndefined()
    expect(send()).toMatch(/^7e/)
  })

  it('some answers are enough, and what a module does not know is passed over [LINK-DL-5]', () => {
    const { xbee, heard } = answered({ AP: '01', NP: '', SH: '', SL: '', AO: '', VR: '' })
    expect(heard).toEqual([])
    expect(xbee.expire(2000)).toEqual([])
    expect(xbee.longest).toBeUndefined()
  })
})
