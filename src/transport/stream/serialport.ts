// A serial device by the package `serialport`, where it is installed: for Windows, for rates that `stty` does not know, and for modem
// lines. It is no dependency, since it is native code that most do not need.

import type { Duplex } from 'node:stream'
import { TransportError } from '../error.ts'
import type { SerialSettings } from '../line/url.ts'
import { streamOf } from './duplex.ts'
import type { ByteStream, StreamListener } from './stream.ts'

/** What is used of a port. */
export interface NativePort extends Duplex {
  open(done: (error: Error | null) => void): void
  close(done: (error: Error | null) => void): void
  set(lines: { readonly dtr: boolean; readonly rts: boolean }, done: (error: Error | null) => void): void
}

export type NativePortClass = new (options: {
  readonly path: string
  readonly baudRate: number
  readonly dataBits: number
  readonly parity: string
  readonly stopBits: number
  readonly rtscts: boolean
  readonly hupcl: boolean
  readonly autoOpen: boolean
  readonly lock: boolean
}) => NativePort

/** The package, or why it is not there; `isMissing`: nobody has installed it. */
export type SerialPackage =
  | { readonly Port: NativePortClass }
  | { readonly Port?: undefined; readonly isMissing: boolean; readonly why: string }

let loading: Promise<SerialPackage> | undefined

/** Loads the package once. Its list of ports is never asked for: where there is no udev, that ends the process. */
export function loadSerialPackage(): Promise<SerialPackage> {
  loading ??= load()
  return loading
}

async function load(): Promise<SerialPackage> {
  try {
    const found: { readonly SerialPort?: unknown; readonly default?: { readonly SerialPort?: unknown } } =
      await import('serialport')
    const Port = found.SerialPort ?? found.default?.SerialPort
    if (typeof Port === 'function') return { Port: Port as NativePortClass }
    return { isMissing: false, why: 'it has no SerialPort' }
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
    return { isMissing, why: error instanceof Error ? error.message : String(error) }
  }
}

/** Its own lock is left alone: it goes with its descriptor, and gateways have one of theirs. On Windows there is no other. */
const optionsOf = (path: string, { baud, bits, parity, stop, flow }: SerialSettings) => ({
  ...{ path, baudRate: baud, dataBits: bits, parity, stopBits: stop, rtscts: flow === 'rts' },
  ...{ hupcl: false, autoOpen: false, lock: process.platform === 'win32' },
})

async function openPort(Port: NativePortClass, path: string, settings: SerialSettings): Promise<NativePort> {
  const port = new Port(optionsOf(path, settings))
  port.on('error', () => {}) // what it means, its end says
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error === null ? resolve() : reject(explainNative(path, error))))
  })
  return port
}

async function setModemLines(port: NativePort, { dtr, rts }: SerialSettings, listener: StreamListener) {
  if (dtr === undefined && rts === undefined) return
  // both are set at once, and are on where a system opens a device
  const error = await new Promise<Error | null>((resolve) =>
    port.set({ dtr: dtr ?? true, rts: rts ?? true }, resolve),
  )
  if (error !== null)
    listener.onNotice?.(`dtr and rts in the url cannot be set at this device (${error.message})`)
}

/**
 * Sets a device that is open already, and leaves it. Reading is left to libuv: the package reads a device that was unplugged while
 * it read on and on, as it takes no octets for none yet.
 */
export async function setByPackage(
  Port: NativePortClass,
  path: string,
  settings: SerialSettings,
  listener: StreamListener,
): Promise<void> {
  const port = await openPort(Port, path, settings)
  await setModemLines(port, settings, listener)
  await new Promise<void>((resolve) => port.close(() => resolve()))
}

/** Opens and sets a device where libuv has no terminals; `release` is called when it has ended, for whatever reason. */
export async function openByPackage(
  Port: NativePortClass,
  path: string,
  settings: SerialSettings,
  listener: StreamListener,
  release: () => void,
): Promise<ByteStream> {
  const port = await openPort(Port, path, settings)
  await setModemLines(port, settings, listener)
  return streamOf(port, listener, release, () => port.close(() => {}))
}

/** Its errors have no codes. */
function explainNative(path: string, { message }: Error): TransportError {
  if (/lock|access denied|busy/i.test(message))
    return new TransportError(
      'in-use',
      `cannot open ${path}: another program uses this line; give it to one of them (${message})`,
    )
  if (/inappropriate ioctl|not a typewriter/i.test(message))
    return new TransportError(
      'invalid',
      `cannot open ${path}: it is no serial device; look at the path in the url (${message})`,
    )
  if (/file not found|no such/i.test(message))
    return new TransportError(
      'not-available',
      `cannot open ${path}: there is no such device; is it plugged in, and is the path in the url right? (${message})`,
    )
  return new TransportError(
    'failed',
    `cannot open ${path}: baud, bits, parity, stop and flow in the url must be what the device can (${message})`,
  )
}
