// A serial device: libuv reads and writes it as a terminal, and what sets the line is the package `serialport` where that is installed,
// and `stty` otherwise, so that no native module is needed.

import { execFile } from 'node:child_process'
import { close, constants, open, readSync } from 'node:fs'
import { access, realpath } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { isatty, ReadStream } from 'node:tty'
import { promisify } from 'node:util'
import { type Advice, explain, TransportError } from '../error.ts'
import type { SerialSettings } from '../line/url.ts'
import { streamOf } from './duplex.ts'
import { loadSerialPackage, openByPackage, type SerialPackage, setByPackage } from './serialport.ts'
import type { ByteStream, OpenStream, StreamListener } from './stream.ts'

/** Opening a terminal may wait for a carrier. */
const STTY_WITHIN = 3000
/** Octets of before that are forgotten at most; a system keeps some thousand. */
const MOST_FORGOTTEN = 65_536
const READ_AT_ONCE = 4096
/** A terminal that hangs up must not take the gateway with it. */
const FLAGS = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK

const ADVICE: Advice = {
  permission: 'not permitted; let the user of the gateway into the group of the device, mostly "dialout"',
  'not-available': 'there is no such device; is it plugged in, and is the path in the url right?',
  'in-use': 'another gateway uses this line; give it to one of them',
  failed: 'it cannot be opened as a serial device',
}

/** Opens devices with the package, if it is there, and without it otherwise. */
export const serialOpener =
  (load: () => Promise<SerialPackage>): OpenStream<SerialSettings> =>
  async (settings, listener) => {
    const { device } = settings
    const what = `cannot open ${device}`
    try {
      const path = await placeOf(device)
      const lock = await lockLine(path)
      const release = () => void lock?.close()
      try {
        const found = await load()
        if (found.Port === undefined) refuseWithout(settings, found)
        else if (process.platform === 'win32')
          return await openByPackage(found.Port, path, settings, listener, release)
        return await openTerminal(path, settings, listener, release, found)
      } catch (error) {
        release()
        throw error
      }
    } catch (error) {
      throw error instanceof TransportError ? error : explain(what, error, ADVICE)
    }
  }

/** Opens and sets the device. */
export const openSerial: OpenStream<SerialSettings> = serialOpener(loadSerialPackage)

/** The device itself, whatever its other names are; rejects where it cannot be used. */
async function placeOf(device: string): Promise<string> {
  if (process.platform === 'win32') return device.slice(1)
  const path = await realpath(device)
  await access(path, constants.R_OK | constants.W_OK)
  return path
}

/** What only the package can. */
function refuseWithout(
  { device, dtr, rts }: SerialSettings,
  { isMissing, why }: Extract<SerialPackage, { readonly why: string }>,
): void {
  const wanted =
    process.platform === 'win32'
      ? 'serial devices'
      : dtr !== undefined || rts !== undefined
        ? 'dtr and rts'
        : undefined
  if (wanted === undefined) return
  const remedy = isMissing
    ? 'install it beside the gateway: npm install serialport'
    : `it cannot be loaded: ${why}`
  throw new TransportError(
    'invalid',
    `cannot open ${device}: ${wanted} need the package "serialport"; ${remedy}`,
  )
}

/** As a terminal of libuv, which is set by the package if it is there, and by `stty` otherwise. */
async function openTerminal(
  path: string,
  settings: SerialSettings,
  listener: StreamListener,
  release: () => void,
  { Port }: SerialPackage,
): Promise<ByteStream> {
  // without O_NONBLOCK the open itself may wait for a carrier, and with it a thread of the pool
  const descriptor = await promisify(open)(path, FLAGS)
  try {
    if (!isatty(descriptor))
      throw new TransportError(
        'invalid',
        `cannot open ${path}: it is no serial device; look at the path in the url`,
      )
    await (Port === undefined ? setLine(path, settings) : setByPackage(Port, path, settings, listener))
  } catch (error) {
    close(descriptor, () => {})
    throw error
  }
  forget(descriptor)
  const terminal = new ReadStream(descriptor) // closes its descriptor itself
  terminal.resume()
  return streamOf(terminal, listener, release)
}

/**
 * What came before anybody listened is of unknown age: a node has repeated it since, or has given it up, and means something else by
 * now. Most devices keep nothing while they are closed.
 */
function forget(descriptor: number): void {
  const octets = new Uint8Array(READ_AT_ONCE)
  try {
    for (let left = MOST_FORGOTTEN; left > 0; left -= READ_AT_ONCE)
      if (readSync(descriptor, octets) === 0) return
  } catch {} // there is no more, or the device is gone, which its stream will say
}

/** Raw: every octet as it is. What is not on the line itself, such as a carrier, is not waited for. */
function setLine(path: string, { baud, bits, parity, stop, flow }: SerialSettings): Promise<void> {
  const args = [
    process.platform === 'darwin' ? '-f' : '-F',
    path,
    ...[String(baud), 'raw', '-echo', 'clocal', '-hupcl', `cs${bits}`],
    ...(parity === 'none' ? ['-parenb'] : ['parenb', parity === 'odd' ? 'parodd' : '-parodd']),
    stop === 2 ? 'cstopb' : '-cstopb',
    flow === 'rts' ? 'crtscts' : '-crtscts',
  ]
  return new Promise((resolve, reject) => {
    execFile('stty', args, { timeout: STTY_WITHIN, killSignal: 'SIGKILL' }, (error, _out, said) => {
      if (error === null) return resolve()
      if (error.code === 'ENOENT')
        return reject(
          new TransportError('failed', `cannot set ${path}: there is no program "stty"; install coreutils`),
        )
      const why = error.killed
        ? `stty did not end within ${STTY_WITHIN / 1000} s`
        : said.trim() || error.message
      const advice = 'baud, bits, parity, stop and flow in the url must be what the device can'
      const more =
        '; with the package "serialport" beside the gateway, other rates than those of stty can be set'
      reject(new TransportError('failed', `cannot set ${path}: ${advice}${more} (${why})`))
    })
  })
}

/** One gateway per line. Only Linux has names for sockets that vanish with their process; elsewhere nobody is kept out. */
function lockLine(path: string): Promise<Server | undefined> {
  if (process.platform !== 'linux') return Promise.resolve(undefined)
  const server = createServer((socket) => socket.destroy())
  server.unref()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(`\0mqttsn-line ${path}`, () => {
      server.on('error', () => {}) // such as no descriptor left for one who asks: the lock holds all the same
      resolve(server)
    })
  })
}
