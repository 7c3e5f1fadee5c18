// What urls of lines say, and what is told of those that are wrong.

import { describe, expect, it } from 'vitest'
import { lineAddress, lineRate, readLineUrl, withoutKey } from '../../../src/transport/line/url.ts'

const right = (url: string) => {
  const read = readLineUrl(url)
  if ('expected' in read) throw new Error(read.expected)
  return read
}

describe('the url of a line', () => {
  it('has defaults for all but the framing', () => {
    expect(right('serial:///dev/ttyUSB0?framing=slip')).toEqual({
      stream: {
        kind: 'serial',
        device: '/dev/ttyUSB0',
        baud: 115_200,
        bits: 8,
        parity: 'none',
        stop: 1,
        flow: 'none',
      },
      framing: 'slip',
      crc: undefined,
      node: 'none',
      reopen: { min: 1000, max: 30_000 },
      strict: false,
    })
  })

  it('says all that can be set', () => {
    const url =
      'serial:///dev/serial/by-id/a%20b?baud=9600&bits=7&parity=even&stop=2&flow=rts&framing=cobs&crc=xmodem&node=encap&reopen=50ms..2m&strict=on'
    const read = right(url)
    expect(read).toMatchObject({
      stream: { device: '/dev/serial/by-id/a b', baud: 9600, bits: 7, parity: 'even', stop: 2, flow: 'rts' },
      ...{ framing: 'cobs', crc: 'xmodem', node: 'encap', reopen: { min: 50, max: 120_000 }, strict: true },
    })
    expect([lineAddress(read), lineRate(read)]).toEqual(['/dev/serial/by-id/a b', 960])
  })

  it('names a device server by name or address', () => {
    expect(right('tcp://[fd00::1]:4001?framing=hdlc').stream).toEqual({
      kind: 'tcp',
      host: 'fd00::1',
      port: 4001,
    })
    expect(lineAddress(right('tcp://barn.example:4001?framing=hdlc'))).toBe('tcp/barn.example:4001')
    expect(lineRate(right('tcp://barn.example:4001?framing=hdlc'))).toBeUndefined()
  })

  it('says how the port of a device server is set, with RFC 2217', () => {
    const url = 'tcp://10.0.0.9:4002?framing=slip&telnet=rfc2217&baud=250000&parity=odd&dtr=off&rts=on'
    const read = right(url)
    const comPort = { baud: 250_000, bits: 8, parity: 'odd', stop: 1, flow: 'none', dtr: false, rts: true }
    expect(read.stream).toMatchObject({ kind: 'tcp', telnet: 'rfc2217', comPort })
    expect(lineRate(read)).toBe(25_000)
    expect(right('tcp://10.0.0.9:4002?framing=slip&telnet=raw').stream).toMatchObject({ telnet: 'raw' })
  })

  it('says where modems call', () => {
    const read = right('tcp-listen://[::]:6969?framing=hdlc&node=encap')
    expect(read).toMatchObject({ stream: { kind: 'tcp-listen', host: '::', port: 6969 }, node: 'encap' })
    expect([lineAddress(read), lineRate(read)]).toEqual(['tcp-listen/:::6969', undefined])
    expect(right('tcp-listen://127.0.0.1:0?framing=slip').stream).toMatchObject({ port: 0 })
  })

  it('names a radio module by its scheme, or by the framing on any stream', () => {
    const xbee = right('xbee:///dev/ttyUSB1?api=1')
    expect(xbee).toMatchObject({ framing: 'xbee', api: 1, stream: { baud: 9600, flow: 'rts' } })
    expect(right('xbee:///dev/ttyUSB1?baud=115200&flow=none')).toMatchObject({
      ...{ api: 2, stream: { baud: 115_200, flow: 'none' } },
    })
    expect(right('tcp://10.0.0.9:4001?framing=xbee')).toMatchObject({ api: 2, stream: { kind: 'tcp' } })
    expect(right('loralink:///dev/ttyUSB0?tx=/dev/ttyUSB1')).toMatchObject({
      ...{ framing: 'loralink', stream: { device: '/dev/ttyUSB0', tx: '/dev/ttyUSB1', baud: 115_200 } },
    })
    const aquila = right('serial:///dev/ttyUSB0?framing=aquila&pan=42&key=000102030405060708090a0b0c0d0eff')
    expect(aquila.aquila).toEqual({ pan: 42, key: Uint8Array.of(...Array(15).keys(), 255) })
    expect(withoutKey('tcp://h:1?key=0001&pan=1')).toBe('tcp://h:1?key=...&pan=1')
  })

  it.each([
    ['xbee:///dev/ttyUSB0?crc=x25', 'no parameters but baud'],
    ['xbee:///dev/ttyUSB0?api=3', 'api=2 or 1'],
    ['xbee://10.0.0.9:4001', 'serial:///dev/serial/by-id/'],
    ['tcp://h:1?framing=loralink&tx=/dev/ttyUSB1', 'no parameters but framing'],
    ['loralink:///dev/ttyUSB0?tx=ttyUSB1', 'tx=the path of a device'],
    ['tcp://h:1?framing=aquila&pan=256', 'pan=a number from 0 to 255'],
    ['tcp://h:1?framing=aquila&key=00', 'key=16 octets in hex'],
    ['tcp://h:1?framing=slip&api=2', 'no parameters but framing'],
    ['serial:///dev/ttyUSB0', 'framing=slip or cobs or hdlc or length'],
    ['serial:///dev/ttyUSB0?framing=ppp', 'framing=slip or cobs or hdlc or length'],
    ['serial:///dev/ttyUSB0?framing=slip&baud=12345', 'baud=115200'],
    ['serial:///dev/ttyUSB0?framing=slip&flow=xon', 'flow=none or rts'],
    ['serial:///dev/ttyUSB0?framing=slip&reopen=1s', 'reopen=1s..30s'],
    ['serial:///dev/ttyUSB0?framing=slip&reopen=0s..0s', 'reopen=1s..30s'],
    ['serial://ttyUSB0?framing=slip', 'serial:///dev/serial/by-id/'],
    ['serial:///?framing=slip', 'serial:///dev/serial/by-id/'],
    ['serial:///dev/%E0%A4%A?framing=slip', 'serial:///dev/serial/by-id/'],
    ['tcp://10.0.0.9?framing=slip', 'tcp://10.0.0.9:4001'],
    ['tcp://user:word@10.0.0.9:1?framing=slip', 'tcp://10.0.0.9:4001'],
    ['tcp://10.0.0.9:4001?framing=slip&baud=9600', 'no parameters but framing, crc'],
    [
      'tcp://10.0.0.9:4001?framing=slip&telnet=raw&dtr=on',
      '"dtr" of a device server is set with telnet=rfc2217',
    ],
    ['tcp://10.0.0.9:4001?framing=slip&telnet=yes', 'telnet=raw or rfc2217'],
    ['tcp://10.0.0.9:0?framing=slip', 'tcp://10.0.0.9:4001'],
    ['serial:///dev/ttyUSB0?framing=slip&flow=rts&rts=on', 'flow=rts without "rts"'],
    ['serial:///dev/ttyUSB0?framing=slip&dtr=high', 'dtr=on or off'],
    ['serial:///dev/ttyUSB0?framing=slip&baud=0', 'baud=115200'],
    ['serial:///dev/ttyUSB0?framing=slip&baud=fast', 'baud=115200'],
    ['tcp-listen://0.0.0.0:6969?framing=slip&reopen=1s..2s', 'no parameters but framing, crc, node, telnet'],
    ['tcp-listen://0.0.0.0:6969?framing=slip&telnet=rfc2217', 'telnet=raw'],
    ['tcp-listen://barn.example:6969?framing=slip', 'tcp-listen://0.0.0.0:6969'],
    ['tcp-listen://0.0.0.0?framing=slip', 'tcp-listen://0.0.0.0:6969'],
    ['tcp-listen://0.0.0.0:6969', 'framing=slip or cobs or hdlc or length'],
    ['zigbee:///dev/ttyUSB0', 'serial:///dev/serial/by-id/'],
  ])('%s: expected %s [LINK-GW-8]', (url, expected) => {
    expect(readLineUrl(url)).toMatchObject({ expected: expect.stringContaining(expected) })
  })
})
