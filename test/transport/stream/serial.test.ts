// Serial devices, by both ways to open them: stty and libuv, and the package serialport where it is installed.

import { execFile, execFileSync } from 'node:child_process'
import { chmodSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import type { SerialSettings } from '../../../src/transport/line/url.ts'
import { serialOpener } from '../../../src/transport/stream/serial.ts'
import {
  loadSerialPackage,
  openByPackage,
  type SerialPackage,
} from '../../../src/transport/stream/serialport.ts'
import { hasSocat, PtyPair } from '../../support/ptys.ts'

const withoutPackage = async (): Promise<SerialPackage> => ({ isMissing: true, why: 'not installed' })
const installed = await loadSerialPackage()
const root = resolve(import.meta.dirname, '../../..')

const SETTINGS: Omit<SerialSettings, 'device'> = {
  ...{ kind: 'serial', baud: 115_200, bits: 8, parity: 'none', stop: 1, flow: 'none' },
}

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

async function plugged(): Promise<PtyPair> {
  const ptys = await PtyPair.open()
  open.push(ptys)
  return ptys
}

/** An open device, with all that was told of it. */
async function opened(
  load: () => Promise<SerialPackage>,
  device: string,
  more: Partial<SerialSettings> = {},
) {
  const heard: Uint8Array[] = []
  const ends: string[] = []
  const notices: string[] = []
  const stream = await serialOpener(load)(
    { ...SETTINGS, device, ...more },
    {
      onOctets: (bytes) => heard.push(bytes),
      onTaken: () => {},
      onEnd: (why) => ends.push(why),
      onNotice: (text) => notices.push(text),
    },
  )
  open.push(stream)
  return { stream, ends, notices, text: () => Buffer.concat(heard).toString('latin1') }
}

const settingsOf = (device: string): string => execFileSync('stty', ['-F', device, '-a']).toString()

const ways: readonly (readonly [string, () => Promise<SerialPackage>, boolean])[] = [
  ['stty', withoutPackage, true],
  ['the package serialport', loadSerialPackage, installed.Port !== undefined],
]

for (const [name, load, isHere] of ways) {
  describe.skipIf(!hasSocat || !isHere)(`a serial device by ${name} (socat)`, () => {
    it('carries 20,000 octets of every kind both ways, unchanged [LINK-FR-1]', async () => {
      const { near, far } = await plugged()
      const [one, other] = [await opened(load, near), await opened(load, far)]
      const all = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff))
      for (let at = 0; at < all.length; at += 500) one.stream.write(all.subarray(at, at + 500))
      await expect.poll(() => other.text().length, { timeout: 10_000 }).toBe(20_000)
      expect(other.text()).toBe(all.toString('latin1'))
      other.stream.write(all)
      await expect.poll(() => one.text() === all.toString('latin1'), { timeout: 10_000 }).toBe(true)
      await expect.poll(() => [one.stream.waiting, other.stream.waiting]).toEqual([0, 0])
    })

    it('sets the line', async () => {
      const { near } = await plugged()
      await opened(load, near, { baud: 57_600, stop: 2, flow: 'rts' })
      const said = settingsOf(near)
      for (const word of ['speed 57600 baud', ' cstopb', ' crtscts', '-icanon', '-echo ', '-opost', '-ixon'])
        expect(said).toContain(word)
    })

    it('says once that the other side has gone, and lets go of the device [LINK-ST-2]', async () => {
      const ptys = await plugged()
      const one = await opened(load, ptys.near)
      await ptys.unplug()
      await expect.poll(() => one.ends).toHaveLength(1)
      await ptys.plug()
      const again = await opened(load, ptys.near)
      const other = await opened(load, ptys.far)
      other.stream.write(Buffer.from('back'))
      await expect.poll(again.text).toBe('back')
      again.stream.close()
      await expect.poll(async () => (await opened(load, ptys.near)).ends).toEqual([])
      expect([one.ends.length, again.ends]).toEqual([1, []])
    })

    it('hears nothing of what came before anybody listened [LINK-ST-3]', async () => {
      const { near, far } = await plugged()
      const early = await opened(load, near)
      early.stream.close()
      const other = await opened(load, far)
      other.stream.write(Buffer.from('long ago, '))
      await expect.poll(() => other.stream.waiting).toBe(0)
      await new Promise((resolve) => setTimeout(resolve, 100)) // it is on its way through socat
      const one = await opened(load, near)
      other.stream.write(Buffer.from('now'))
      await expect.poll(one.text).toBe('now')
    })

    it('is for one gateway: another one is told, until it is closed [LINK-ST-1]', async () => {
      const { near } = await plugged()
      const first = await opened(load, near)
      const refused = { code: 'in-use', message: expect.stringContaining('another gateway uses this line') }
      await expect(opened(load, near)).rejects.toMatchObject(refused)
      // the same device by its other name
      await expect(opened(load, realpathSync(near))).rejects.toMatchObject(refused)
      first.stream.close()
      await opened(load, near)
    })

    it.each([
      ['/dev/no-such-device', 'not-available', 'there is no such device'],
      ['/dev/null', 'invalid', 'it is no serial device'],
    ])('%s is told what to change: %s [LINK-ST-1]', async (device, code, words) => {
      await expect(opened(load, device)).rejects.toMatchObject({
        code,
        message: expect.stringContaining(words),
      })
      await expect(opened(load, device)).rejects.toMatchObject({ code }) // and is not locked by that
    })
  })
}

describe.skipIf(!hasSocat)('what stty cannot (socat)', () => {
  it.each([{ dtr: false }, { rts: true }])(
    '%j needs the package, which is named [LINK-ST-1]',
    async (more) => {
      const { near } = await plugged()
      await expect(opened(withoutPackage, near, more)).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('npm install serialport'),
      })
      const broken = async (): Promise<SerialPackage> => ({
        isMissing: false,
        why: 'no binary for this machine',
      })
      await expect(opened(broken, near, more)).rejects.toThrow(/cannot be loaded: no binary/)
    },
  )

  it('a rate that is not usual is told to need it [LINK-ST-1]', async () => {
    const { near } = await plugged()
    const text = await opened(withoutPackage, near, { baud: 1_234_560 }).then(
      () => '',
      (error: Error) => error.message,
    )
    expect(text === '' || text.includes('package "serialport"'), text).toBe(true)
  })

  it.skipIf(installed.Port === undefined)(
    'with the package odd rates are set, and modem lines that are not there are told',
    async () => {
      const { near } = await plugged()
      const { notices, stream } = await opened(loadSerialPackage, near, { baud: 250_000, dtr: false })
      // stty has no word for such a rate, or says it
      expect(settingsOf(near)).toMatch(/^speed (?:0|250000) baud/)
      await expect
        .poll(() => notices)
        .toEqual([expect.stringContaining('dtr and rts in the url cannot be set')])
      expect(stream.waiting).toBe(0)
    },
  )

  it.skipIf(installed.Port === undefined)(
    'the package reads and writes by itself, where libuv has no terminals [LINK-FR-1]',
    async () => {
      const { near, far } = await plugged()
      const { Port } = installed
      if (Port === undefined) return
      const heard: Uint8Array[] = []
      const listener = {
        onOctets: (bytes: Uint8Array) => heard.push(bytes),
        onTaken: () => {},
        onEnd: () => {},
      }
      let released = 0
      const stream = await openByPackage(
        Port,
        realpathSync(near),
        { ...SETTINGS, device: near },
        listener,
        () => {
          released += 1
        },
      )
      const other = await opened(withoutPackage, far)
      stream.write(Buffer.from('there'))
      await expect.poll(other.text).toBe('there')
      other.stream.write(Buffer.from('and back'))
      await expect.poll(() => Buffer.concat(heard).toString()).toBe('and back')
      stream.close()
      expect(released).toBe(1)
    },
  )

  it.skipIf(process.getuid?.() !== 0)(
    'who may not use the device is told of the group [LINK-ST-1]',
    async () => {
      const { near } = await plugged()
      chmodSync(realpathSync(near), 0o600)
      const program = `
      import { openSerial } from ${JSON.stringify(join(root, 'src/transport/stream/serial.ts'))}
      process.setgid(65534)
      process.setgroups([])
      process.setuid(65534)
      const settings = ${JSON.stringify({ ...SETTINGS, device: realpathSync(near) })}
      const listener = { onOctets() {}, onTaken() {}, onEnd() {} }
      openSerial(settings, listener).then(() => console.log('open'), ({ code, message }) => console.log(code, message))`
      const tsx = join(root, 'node_modules/tsx/dist/loader.mjs')
      const { stdout } = await promisify(execFile)(process.execPath, [
        '--import',
        tsx,
        '--input-type=module',
        '-e',
        program,
      ])
      expect(stdout).toMatch(/^permission .*group of the device, mostly "dialout"/)
    },
  )
})
