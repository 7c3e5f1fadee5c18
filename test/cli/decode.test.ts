// The command `mqttsn decode`.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { fromArguments, fromInput } from '../../src/cli/decode.ts'
import { fromHex, toHex } from '../codec/vectors.ts'

interface Result {
  code: number
  out: string
  err: string
}

/** Runs the command in a process of its own, from the source. */
async function run(args: string[], input: string | Uint8Array = ''): Promise<Result> {
  const file = new URL('../../src/cli/decode.ts', import.meta.url).href
  const script = `const { decodeCommand } = await import(${JSON.stringify(file)})
    await decodeCommand().name('mqttsn decode').parseAsync(process.argv.slice(1), { from: 'user' })`
  const child = spawn(process.execPath, [
    '--import',
    'tsx',
    '--input-type=module',
    '-e',
    script,
    '--',
    ...args,
  ])
  const texts = { out: '', err: '' }
  child.stdout.on('data', (chunk) => {
    texts.out += chunk
  })
  child.stderr.on('data', (chunk) => {
    texts.err += chunk
  })
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number]
  return { code, ...texts }
}

describe('mqttsn decode', () => {
  it('explains every argument and exits with 0', async () => {
    const { code, out, err } = await run(['0217', '0x04:18:00:3c'])
    expect(err).toBe('')
    expect(out.match(/^\w.*/gm)).toEqual(['PINGRESP [5.4.20], 2 octets', 'DISCONNECT [5.4.21], 4 octets'])
    expect(code).toBe(0)
  })

  it('exits with 1 when one datagram is malformed, and still explains the others', async () => {
    const { code, out } = await run(['0203', '0217'])
    expect(out).toContain('malformed (unknown-type): MsgType 0x03 is reserved')
    expect(out).toContain('PINGRESP')
    expect(code).toBe(1)
  })

  it.each([
    ['slip', ['c0', '0a', '04', '04', '01', '00', '3c', '6d', '31', '33', '35', 'c0']],
    ['cobs', ['050a040401063c6d31', '333500']],
    ['hdlc', ['7e0a040401003c6d313335ed737e']],
    ['length', ['0a040401003c6d313335']],
    ['xbee', ['7e0016900 07d33a200123456785678010a040401003c6d31333582'.replace(' ', '')]],
  ])('finds the messages in the octets of a line: %s', async (framing, octets) => {
    const { code, out } = await run(['--framing', framing, ...octets])
    expect(out.match(/^\w.*/gm)?.at(-1)).toBe('CONNECT [5.4.4], 10 octets')
    expect(out.includes('from xbee/0013a20012345678')).toBe(framing === 'xbee')
    expect(code).toBe(0)
  })

  it('tells what on a line is no message, and explains what is', async () => {
    const { code, out } = await run(['--framing', 'slip', '626f6f74c00217c0c0db00c0'])
    expect(out.split('\n').filter((line) => /^\w/.test(line))).toEqual([
      expect.stringContaining('malformed'),
      'PINGRESP [5.4.20], 2 octets',
      'no message: it breaks the rules of the framing, or is cut off: db00',
    ])
    expect(code).toBe(1)
    const json = await run(['--framing', 'hdlc', '--json', '7e0217ffff7e'])
    expect(JSON.parse(json.out)).toEqual({ lost: 'checksum', hex: '0217ffff' })
    expect(await run(['--framing', 'slip', 'c0c0'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('no message'),
    })
    expect(await run(['--framing', 'hdlc', '--crc', 'none', '7e02177e'])).toMatchObject({ code: 0 })
  })

  it('exits with 2 and says what it expected when the input is not hex', async () => {
    const { code, out, err } = await run(['0217', 'publish'])
    expect(out).toBe('')
    expect(err).toBe('error: "publish" is not hex: expected two digits 0-9 a-f for each octet\n')
    expect(code).toBe(2)
  })

  it('prints one JSON object per line, with octets as hex', async () => {
    const { code, out } = await run(['--json'], '05fe001234090c20000100023231\n\n0203\r\n')
    const objects = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(objects).toEqual([
      {
        hex: '05fe001234090c20000100023231',
        nodeId: '1234',
        radius: 0,
        packet: {
          type: 'publish',
          dup: false,
          qos: 1,
          retain: false,
          topicIdType: 'normal',
          topicId: 1,
          msgId: 2,
          data: '3231',
        },
      },
      {
        hex: '0203',
        packet: {
          type: 'malformed',
          reason: 'unknown-type',
          explanation: 'MsgType 0x03 is reserved [5.2.2]',
        },
      },
    ])
    expect(code).toBe(1)
  })

  it('reads one raw datagram from standard input', async () => {
    const { code, out } = await run([], fromHex('090c20000100023231'))
    expect(out).toContain('"21" (2 octets)')
    expect(code).toBe(0)
  })

  it('has examples in its help', async () => {
    const { code, out } = await run(['--help'])
    expect(out).toContain('$ mqttsn decode 0b0c200001000132312e35')
    expect(out).toContain('Exit code: 0 if every datagram is a message')
    expect(code).toBe(0)
  })
})

describe('arguments', () => {
  it.each([
    [['0217'], ['0217']],
    [['02', '17'], ['0217']],
    [['0x02', '0x17'], ['0217']],
    [
      ['02 17', '02:16', '0x02,0x18', '02-17'],
      ['0217', '0216', '0218', '0217'],
    ],
    [['0B0C200001000132312E35'], ['0b0c200001000132312e35']],
    [['02'], ['02']],
    [[''], ['']],
  ])('%j are the datagrams %j', (args, datagrams) => {
    expect(fromArguments(args).map(toHex)).toEqual(datagrams)
  })

  it.each(['021', 'xyz', '0217 hello', '020x17'])('refuses %j, which is not hex', (arg) => {
    expect(() => fromArguments([arg])).toThrow('is not hex')
  })
})

describe('standard input', () => {
  it('is hex, one datagram on each line', () => {
    expect(fromInput(Buffer.from('0217\n\n 02:16 \r\n')).map(toHex)).toEqual(['0217', '0216'])
  })

  it('is one raw datagram when it decodes or is not text', () => {
    for (const hex of ['0217', '01000416', '0203', '00ff', '0a1673656e736f72']) {
      expect(fromInput(fromHex(hex)).map(toHex)).toEqual([hex])
    }
  })

  it.each([
    ['', 'standard input is empty'],
    ['\n \n', 'only blank lines'],
    ['0217\nhello\n', '"hello" is not hex'],
    ['{"hex": "0217"}', 'is not hex'],
  ])('is refused when it is %j', (input, message) => {
    expect(() => fromInput(Buffer.from(input))).toThrow(message)
  })
})
