// The way to a broker, one step after the other, for people who look for a mistake: its name, its port, TLS.

import { lookup } from 'node:dns/promises'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, createSecureContext } from 'node:tls'
import { describeError, type SystemError } from '../mqtt/failures/system-error.ts'
import { explainTls, NO_TLS } from '../mqtt/failures/tls-mistakes.ts'
import type { TlsOptions } from '../upstream.ts'

/** What came of one step: a sentence; `ok: false`: it names the key to change, and further steps make no sense. */
export interface Step {
  readonly step: 'from' | 'name' | 'port' | 'tls' | 'login'
  readonly ok: boolean
  readonly says: string
}

const PORTS: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883, 'ws:': 80, 'wss:': 443 }

const REACHED: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  EHOSTUNREACH: 'there is no way to that address',
  ENETUNREACH: 'there is no way to that network',
  ETIMEDOUT: 'no answer: a firewall may be in between',
  EADDRNOTAVAIL: 'no port of this machine is left',
  EADDRINUSE: 'no port of this machine is left',
  EINVAL: 'no way leads there from this address',
  ENOTFOUND: 'no such name with an address of this family',
}

/**
 * Goes from the name in the url to TLS, as far as it gets; each step may take `timeout` milliseconds. What `url` is must have
 * been checked. Ends every connection that it makes, and sends no octet of MQTT.
 */
export async function probe(url: string, tls: TlsOptions, timeout: number): Promise<Step[]> {
  const { protocol } = new URL(url)
  const place = placeOf(url)
  const steps: Step[] = []
  const isSecure = protocol === 'mqtts:' || protocol === 'wss:'
  for (const one of [findName, reachPort, ...(isSecure ? [secure] : [])]) {
    const step = await one(place, tls, timeout)
    if (step !== undefined) steps.push(step)
    if (step?.ok === false) break
  }
  return steps
}

/** Whether the port can be reached from this address of this machine; undefined if none of the host's addresses is of its family. */
export async function probeFrom(url: string, from: string, timeout: number): Promise<Step | undefined> {
  const place = placeOf(url, from)
  const family = isIP(from)
  if (isIP(place.host) !== 0 && isIP(place.host) !== family) return undefined
  const { ok, says } = await reachPort(place, { verify: true }, timeout)
  return { step: 'from', ok, says: `from ${from}: ${says}${ok ? '' : ', and broker.localAddresses'}` }
}

interface Place {
  readonly host: string
  readonly port: number
  readonly from: { readonly localAddress?: string; readonly family?: number }
}

function placeOf(url: string, from?: string): Place {
  const { hostname, port, protocol } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  return {
    host,
    port: port === '' ? (PORTS[protocol] ?? 0) : Number(port),
    from: from === undefined ? {} : { localAddress: from, family: isIP(from) },
  }
}

async function findName({ host }: Place, _: TlsOptions, timeout: number): Promise<Step | undefined> {
  if (isIP(host) !== 0) return undefined
  const late = AbortSignal.timeout(timeout)
  const overdue = new Promise<never>((_resolve, reject) => {
    late.addEventListener('abort', () => reject(new Error('the name server does not answer')))
  })
  try {
    const found = await Promise.race([lookup(host, { all: true }), overdue])
    return { step: 'name', ok: true, says: `${host} is ${found.map(({ address }) => address).join(', ')}` }
  } catch (error) {
    const { code, message } = error as SystemError
    const why =
      code === 'ENOTFOUND'
        ? 'no such name is known'
        : code === 'EAI_AGAIN'
          ? 'no name server answers'
          : message
    return {
      step: 'name',
      ok: false,
      says: `${host}: ${why}: see the host in broker.url (${String(code ?? 'timeout')})`,
    }
  }
}

async function reachPort({ host, port, from }: Place, _: TlsOptions, timeout: number): Promise<Step> {
  const socket = connectTcp({ host, port, ...from })
  const error = await opened(socket, 'connect', timeout)
  socket.destroy()
  if (error === undefined)
    return { step: 'port', ok: true, says: `port ${port} of ${host} accepts connections` }
  const code = String(codeOf(error))
  const why = REACHED[code] ?? describeError(error)
  return {
    step: 'port',
    ok: false,
    says: `port ${port} of ${host}: ${why}: see host and port in broker.url (${code})`,
  }
}

async function secure({ host, port, from }: Place, tls: TlsOptions, timeout: number): Promise<Step> {
  const { ca, cert, key, verify } = tls
  const servername = tls.serverName ?? (isIP(host) === 0 ? host : undefined)
  try {
    const secureContext = createSecureContext({ ca, cert, key, minVersion: 'TLSv1.2' })
    const name = servername === undefined ? {} : { servername }
    const socket = connectTls({ host, port, ...from, secureContext, rejectUnauthorized: verify, ...name })
    const error = await opened(socket, 'secureConnect', timeout)
    const { subject, valid_to: until } = error === undefined ? socket.getPeerCertificate() : {}
    const about = subject?.CN === undefined ? '' : `, certificate of "${subject.CN}", valid until ${until}`
    const version = socket.getProtocol() ?? 'TLS'
    socket.destroy()
    if (error === undefined) return { step: 'tls', ok: true, says: `${version}${about}` }
    return {
      step: 'tls',
      ok: false,
      says:
        explainTls(error) ??
        (error.code === 'ECONNRESET' ? NO_TLS : `${describeError(error)}: see broker.url and broker.tls`),
    }
  } catch (error) {
    const says = explainTls(error as SystemError) ?? `${describeError(error as SystemError)}: see broker.tls`
    return { step: 'tls', ok: false, says }
  }
}

/** Waits for an event of a socket; gives the Error if it does not come. */
function opened(socket: Socket, event: string, timeout: number): Promise<SystemError | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }))
    }, timeout)
    const done = (error?: SystemError): void => {
      clearTimeout(timer)
      resolve(error)
    }
    socket.once(event, () => done())
    socket.on('error', done)
    socket.once('close', () =>
      done(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' })),
    )
  })
}

/** Of a name with several addresses, the code of the first. */
function codeOf(error: SystemError): unknown {
  if (error.code !== undefined) return error.code
  return error instanceof AggregateError ? (error.errors[0] as SystemError | undefined)?.code : undefined
}
