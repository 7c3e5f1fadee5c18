// LoRaLink modems: example frames octet for octet, one frame at a time, two devices.

import { describe, expect, it } from 'vitest'
import { createLoralink } from '../../../src/transport/dialogue/loralink.ts'
import { createApiFrames } from '../../../src/transport/framing/api-frames.ts'
import { hexOf, octets } from '../../support/octets.ts'

const M1 = octets('0a 04 04 01 00 3c 6d 31 33 35')
const SENT = octets('7e 00 07 00 00 00 00 00 80 7f')
const FROM_5 = octets('7e 00 7d 31 05 ff c4 00 09 40 0a 04 04 01 00 3c 6d 31 33 35 99')

function begun() {
  const modem = createLoralink({ longest: 249, inFlight: 1, confirm: 10_000 })
  modem.begin(0)
  const send = (to: string | undefined, now = 0) => {
    const frame = modem.encode(M1, to, 0)
    if (typeof frame === 'string') return frame
    return modem.isReady ? hexOf(modem.seal(frame, now)) : 'not ready'
  }
  return { modem, send }
}
const frames = createApiFrames({ longest: 300, escaped: true, countsSum: true })
const frame = (type: number) => frames.encode(Uint8Array.of(0, 0, 0, 0, 0, type))

describe('a LoRaLink modem', () => {
  it('is given a CONNECT for node 5 like this, and one for all [LINK-FR-2, LINK-GW-9]', () => {
    expect(begun().send('lora/5')).toBe('7e 00 0d 05 40 0a 04 04 01 00 3c 6d 31 33 35 65')
    expect(begun().send(undefined)).toMatch(/^7e 00 0d ff 40 0a 04/)
  })

  it('gives a CONNECT of node 5, with its strength [LINK-FR-2]', () => {
    expect(begun().modem.push(FROM_5, 0)).toEqual([
      { type: 'message', bytes: M1, from: 'lora/5', signal: { rssi: -60 } },
    ])
  })

  it('has one frame at a time, until it says that it was sent [LINK-DL-1, LINK-FR-2]', () => {
    const { modem, send } = begun()
    send('lora/5')
    expect(send('lora/6')).toBe('not ready')
    expect(modem.push(SENT, 10)).toEqual([])
    expect(modem.isReady).toBe(true)
    expect(modem.push(SENT, 20)).toEqual([]) // late, for nothing
  })

  it('counts what it could not send: no free channel, time-out, and no word within 10 s [LINK-DL-2]', () => {
    const { modem, send } = begun()
    for (const type of [0x81, 0x82]) {
      send('lora/5')
      expect(modem.push(frame(type), 10)).toEqual([{ type: 'lost', reason: 'undelivered' }])
      expect(modem.push(frame(type), 10)).toEqual([])
    }
    send('lora/5', 100)
    expect([modem.deadline, modem.expire(10_099)]).toEqual([510, []])
    expect([modem.deadline, modem.expire(10_100)]).toEqual([
      10_100,
      [{ type: 'lost', reason: 'unconfirmed' }],
    ])
  })

  it('that receives and one that sends are read apart, octet by octet', () => {
    const { modem, send } = begun()
    send('lora/5')
    const heard = []
    for (let i = 0; i < FROM_5.length; i++) {
      heard.push(...modem.push(FROM_5.subarray(i, i + 1), i))
      heard.push(...modem.push(SENT.subarray(i, i + 1), i, true))
    }
    expect(heard).toMatchObject([{ type: 'message', from: 'lora/5' }])
    expect(modem.isReady).toBe(true)
  })

  it('sends to nodes 1 to 254, and hears from no others [LINK-GW-1]', () => {
    const { modem, send } = begun()
    expect(['lora/0', 'lora/256', 'lora/05', 'xbee/1234'].map((to) => send(to))).toEqual(
      Array(4).fill('undelivered'),
    )
    const of = (source: string) =>
      octets(`7e 00 11 ${source} ff c4 00 09 40 ${hexOf(M1)} ${source === '00' ? '9e' : '9f'}`)
    expect([of('00'), of('ff')].map((one) => modem.push(one, 0)[0]?.type)).toEqual(['lost', 'lost'])
  })

  it('says things that are not known, which are counted', () => {
    const { modem } = begun()
    expect(modem.push(frame(0x77), 0)).toMatchObject([{ type: 'lost', reason: 'unknown-frame' }])
    expect(modem.push(octets('7e 00 03 01 02 fc'), 0)).toMatchObject([
      { type: 'lost', reason: 'unknown-frame' },
    ])
  })

  it('that is reopened begins anew [LINK-DL-4]', () => {
    const { modem, send } = begun()
    send('lora/5')
    modem.push(FROM_5.subarray(0, 9), 0)
    modem.begin(50)
    expect([modem.isReady, modem.deadline]).toEqual([true, undefined])
    expect(modem.push(FROM_5, 60)).toHaveLength(1)
  })
})
