// Telnet and RFC 2217: FF inside of data, commands between it, any cut; and what a port is told, octet for octet.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ComPortSettings } from '../../../src/transport/telnet/com-port.ts'
import { createTelnet, doubleIac, type Telnet } from '../../../src/transport/telnet/telnet.ts'

const PORT: ComPortSettings = { baud: 115_200, bits: 8, parity: 'none', stop: 1, flow: 'none' }
const octets = (hex: string) => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'))
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** All that one connection gives for these pieces. */
function readAll(telnet: Telnet, pieces: readonly Uint8Array[]) {
  const read = pieces.map((piece) => telnet.push(piece))
  return {
    data: hex(Buffer.concat(read.map(({ data }) => data))),
    reply: hex(Buffer.concat(read.map(({ reply }) => reply))),
    news: read.flatMap(({ news }) => news),
  }
}

/** The octets in pieces that end where the numbers say. */
function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const places = [0, ...at.map((one) => one % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end))
}

const anyOctets = fc.uint8Array({ maxLength: 60 })
/** FF more often than chance has it */
const muchIac = fc
  .array(fc.oneof(fc.constant(0xff), fc.nat(255)), { maxLength: 60 })
  .map((all) => Uint8Array.from(all))
const negotiation = fc
  .tuple(fc.integer({ min: 0xfb, max: 0xfe }), fc.nat(255))
  .map(([verb, option]) => Uint8Array.of(0xff, verb, option))
const subnegotiation = muchIac.map((body) => Uint8Array.of(0xff, 0xfa, 0x2c, ...doubleIac(body), 0xff, 0xf0))
const simple = fc.integer({ min: 0xf1, max: 0xf9 }).map((one) => Uint8Array.of(0xff, one))
const command = fc.oneof(negotiation, subnegotiation, simple)

describe('Telnet', () => {
  it('doubles FF and takes it back, whatever the data and however it is cut [LINK-FR-1]', () => {
    fc.assert(
      fc.property(fc.oneof(anyOctets, muchIac), fc.array(fc.nat(200)), fc.boolean(), (data, at, isRaw) => {
        const sent = createTelnet().encode(data)
        expect(sent.length).toBe(data.length + data.filter((octet) => octet === 0xff).length)
        const { data: got, reply } = readAll(createTelnet(isRaw ? undefined : PORT), cut(sent, at))
        expect([got, reply]).toEqual([hex(data), ''])
      }),
    )
  })

  it('takes commands out of the stream, and a cut anywhere changes nothing [LINK-FR-1]', () => {
    const piece = fc.oneof(
      muchIac.map((data) => ({ data, sent: doubleIac(data) })),
      command.map((sent) => ({ data: new Uint8Array(), sent })),
    )
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }),
        fc.array(fc.nat(900)),
        fc.boolean(),
        (pieces, at, isRaw) => {
          const port = isRaw ? undefined : PORT
          const sent = Buffer.concat(pieces.map((one) => one.sent))
          const whole = readAll(createTelnet(port), [sent])
          expect(whole.data).toBe(hex(Buffer.concat(pieces.map(({ data }) => data))))
          expect(readAll(createTelnet(port), cut(sent, at))).toEqual(whole)
          expect(readAll(createTelnet(port), cut(sent, [...sent.keys()]))).toEqual(whole)
        },
      ),
    )
  })

  it('answers garbage with less than it was sent, and with nothing as telnet=raw [LINK-ST-8]', () => {
    fc.assert(
      fc.property(fc.oneof(anyOctets, muchIac), (garbage) => {
        expect(createTelnet().push(garbage).reply).toHaveLength(0)
        const settled = createTelnet(PORT)
        settled.push(octets('fffd2c'))
        expect(settled.push(garbage).reply.length).toBeLessThanOrEqual(garbage.length)
      }),
    )
  })

  it('two of them that agree fall silent: nothing is answered that is so already', () => {
    fc.assert(
      fc.property(fc.array(negotiation, { maxLength: 20 }), (asked) => {
        const [one, other] = [createTelnet(PORT), createTelnet(PORT)]
        let [toOther, toOne] = [one.push(Buffer.concat(asked)).reply, other.greeting]
        for (let turn = 0; turn < 10 && toOther.length + toOne.length > 0; turn++)
          [toOther, toOne] = [one.push(toOne).reply, other.push(toOther).reply]
        expect([hex(toOther), hex(toOne)]).toEqual(['', ''])
      }),
    )
  })
})

describe('RFC 2217', () => {
  it('offers the option first, and sets the port when it is taken, octet for octet', () => {
    const telnet = createTelnet(PORT)
    expect(hex(telnet.greeting)).toMatch(/^fffb2c/)
    expect(hex(telnet.push(octets('fffd2c')).reply)).toBe(
      'fffa2c010001c200fff0' + 'fffa2c0208fff0' + 'fffa2c0301fff0' + 'fffa2c0401fff0' + 'fffa2c0501fff0',
    )
    expect(hex(telnet.push(octets('fffd2c')).reply)).toBe('')
  })

  it('says all that can be set: rate with FF in it, bits, parity, stop bits, flow control, modem lines', () => {
    const telnet = createTelnet({
      baud: 0xffff,
      bits: 7,
      parity: 'odd',
      stop: 2,
      flow: 'rts',
      dtr: false,
      rts: true,
    })
    const set = ['010000ffffffff', '0207', '0302', '0402', '0503', '0509', '050b']
    expect(hex(telnet.push(octets('fffd2c')).reply)).toBe(set.map((one) => `fffa2c${one}fff0`).join(''))
    const even = createTelnet({ ...PORT, parity: 'even', dtr: true, rts: false })
    expect(hex(even.push(octets('fffd2c')).reply)).toMatch(/fffa2c0303fff0.*fffa2c0508fff0fffa2c050cfff0$/)
  })

  it('says nothing of what is set as it was told, and what differs where something does', () => {
    const telnet = createTelnet(PORT)
    const said = (text: string) => telnet.push(octets(text)).news
    expect(said('fffa2c650001c200fff0 fffa2c6608fff0 fffa2c6701fff0 fffa2c6a00fff0 fffa2c00fff0')).toEqual([])
    expect(said('fffa2c6500002580fff0')).toEqual([
      { type: 'differs', name: 'baud', wanted: 115_200, got: 9600 },
    ])
    expect(said('fffa2c6607fff0')).toEqual([{ type: 'differs', name: 'bits', wanted: 8, got: 7 }])
    expect(said('fffa2c6cfff0 fffa2c6dfff0')).toEqual([{ type: 'suspend' }, { type: 'resume' }])
  })

  it('tells of a server that refuses it, once', () => {
    const telnet = createTelnet(PORT)
    const { news, reply } = readAll(telnet, [octets('fffe2c'), octets('fffe2c')])
    expect([news, reply]).toEqual([[{ type: 'refused' }], ''])
  })

  it.each([
    ['what the other side does with ECHO is refused', 'fffb01', 'fffe01'],
    ['to do ECHO is refused', 'fffd01', 'fffc01'],
    ['terminal types are refused', 'fffd18', 'fffc18'],
    ['SUPPRESS-GO-AHEAD is taken', 'fffb03 fffd03', 'fffd03fffb03'],
    ['BINARY was asked for, and is not answered again', 'fffb00 fffd00', ''],
    ['what is refused may stay away', 'fffc01 fffe01', ''],
    ['what was taken may be given up', 'fffb03 fffc03', 'fffd03fffe03'],
  ])('%s', (_name, sent, reply) => {
    expect(hex(createTelnet(PORT).push(octets(sent)).reply)).toBe(reply)
  })

  it('keeps 64 octets of a subnegotiation, and takes the data behind a longer one [LINK-FR-3]', () => {
    const telnet = createTelnet(PORT)
    const long = Uint8Array.of(0xff, 0xfa, 0x2c, 0x65, ...new Uint8Array(100_000), 0xff, 0xf0, 0x41)
    expect(readAll(telnet, [long])).toEqual({ data: '41', reply: '', news: [] })
  })
})
