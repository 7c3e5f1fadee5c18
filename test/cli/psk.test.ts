// `mqttsn psk new`: lines for the file of shared keys.

import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseSharedKey, readPskFile } from '../../src/cli/psk/psk-file.ts'
import { pskCommand } from '../../src/cli/psk.ts'
import { directoryWith } from '../config/files.ts'
import { FakeTerminal } from '../support/sensor.ts'

async function make(...args: string[]) {
  const terminal = new FakeTerminal()
  const code = await terminal.run(pskCommand(terminal), 'new', ...args)
  return { code, lines: terminal.lines, errors: terminal.errors.join('\n') }
}

describe('mqttsn psk new', () => {
  it('prints a line with 16 random octets for each identity', async () => {
    const { code, lines } = await make('meter-17', 'urn:dev:18')
    expect(code).toBe(0)
    expect(lines).toEqual([
      expect.stringMatching(/^meter-17:[0-9a-f]{32}$/),
      expect.stringMatching(/^urn:dev:18:[0-9a-f]{32}$/),
    ])
    expect((await make('meter-17')).lines).not.toEqual(lines.slice(0, 1))
    expect((await make('a', '--octets', '32')).lines[0]).toMatch(/^a:[0-9a-f]{64}$/)
  })

  it('puts them at the end of a file, which it makes for its owner alone', async () => {
    const file = join(directoryWith({}), 'psk.txt')
    const first = await make('a', '--file', file)
    const second = await make('b', 'c', '--file', file)
    expect(readFileSync(file, 'utf8')).toBe(`${[...first.lines, ...second.lines].join('\n')}\n`)
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('gives the last line its end first, where it has none', async () => {
    const file = join(directoryWith({ 'psk.txt': `# keys\nold:${'00'.repeat(8)}` }), 'psk.txt')
    const { lines } = await make('new', '--file', file)
    expect(readFileSync(file, 'utf8')).toBe(`# keys\nold:${'00'.repeat(8)}\n${lines[0]}\n`)
  })

  it('leaves the key of an identity that has one, and the file as it is [exit code 1]', async () => {
    const text = `meter-17:${'00'.repeat(16)}\n`
    const file = join(directoryWith({ 'psk.txt': text }), 'psk.txt')
    const { code, lines, errors } = await make('meter-16', 'meter-17', '--file', file)
    expect([code, lines]).toEqual([1, []])
    expect(errors).toContain('has a key for meter-17 already')
    expect(readFileSync(file, 'utf8')).toBe(text)
  })

  it('names the line of a file that it cannot read, but no key [exit code 1]', async () => {
    const folder = directoryWith({})
    const file = join(folder, 'psk.txt')
    for (const [line, text] of [
      [2, '# a comment\nmeter-17 0123456789abcdef\n'],
      [1, 'meter-17:0123456789abcdeg\n'],
      [1, 'meter-17:00\n'],
      [2, `a:${'00'.repeat(8)}\na:${'11'.repeat(8)}`],
    ] as const) {
      writeFileSync(file, text)
      const { code, errors } = await make('new', '--file', file)
      expect([code, errors]).toEqual([1, expect.stringContaining(`psk.txt, line ${line}: `)])
      expect(errors).not.toContain('0123456789abcde')
    }
    expect((await make('new', '--file', folder)).code).toBe(1)
  })

  it('refuses identities that no line can hold, and wrong usage [exit code 2]', async () => {
    for (const args of [
      [],
      [''],
      [' a'],
      ['#a'],
      ['a\nb'],
      ['x'.repeat(129)],
      ['a', 'a'],
      ['a', '--octets', '7'],
    ])
      expect((await make(...args)).code, args.join(' ')).toBe(2)
  })
})

it('reads what Mosquitto and GnuTLS write', () => {
  const file = join(
    directoryWith({ 'psk.txt': `# x\r\n\r\na:${'AB'.repeat(8)}\r\nb:c:${'00'.repeat(64)}\n` }),
    'psk.txt',
  )
  expect([...readPskFile(file).keys()]).toEqual(['a', 'b:c'])
  expect(parseSharedKey(`a:${'00'.repeat(65)}`)).toBeUndefined()
})
