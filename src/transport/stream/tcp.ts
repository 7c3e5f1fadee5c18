// A line over TCP: the gateway calls a device server, such as ser2net, or a modem with a network connection.

import { connect } from 'node:net'
import { explain, TransportError } from '../error.ts'
import type { TcpSettings } from '../line/url.ts'
import { streamOf } from './duplex.ts'
import { watchHalfOpen } from './half-open.ts'
import type { OpenStream } from './stream.ts'
import { openTelnet } from './telnet-stream.ts'

const CONNECT_WITHIN = 10_000
/** Silence after which the system asks whether the other side is still there. */
const KEEP_ALIVE = 30_000

/** Connects, with Telnet where the url says so. */
export const openTcp: OpenStream<TcpSettings> = (settings, listener) =>
  settings.telnet === undefined
    ? connectTcp(settings, listener)
    : openTelnet(settings.comPort, listener, (inner) => connectTcp(settings, inner))

/** A connection whose other side has vanished without a word is found by the system's keep-alive, or by what it does not acknowledge. */
const connectTcp: OpenStream<TcpSettings> = ({ host, port }, listener) =>
  new Promise((resolve, reject) => {
    const what = `cannot connect to ${host}:${port}`
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE })
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new TransportError('failed', `${what}: no answer within ${CONNECT_WITHIN / 1000} s`))
    }, CONNECT_WITHIN)
    const fail = (error: Error): void => {
      clearTimeout(timer)
      const failed = 'nothing listens there, or it cannot be reached; look at the host and port in the url'
      reject(explain(what, error, { failed }))
    }
    socket.once('error', fail)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', fail)
      watchHalfOpen(socket)
      resolve(streamOf(socket, listener))
    })
  })
