// Certificates with one mistake each, made by openssl, and TLS servers that show them.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { listen } from './broker.ts'

/** PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** An authority and what it signed for 127.0.0.1 and localhost. */
export interface Authority {
  readonly ca: string
  readonly good: Certificate
  readonly expired: Certificate
  /** for another name */
  readonly other: Certificate
  /** signed by itself */
  readonly self: Certificate
}

/** Makes all of them. */
export function makeAuthority(): Authority {
  const directory = mkdtempSync(join(tmpdir(), 'certificates-'))
  const path = (name: string) => join(directory, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' })
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const read = (name: string) => readFileSync(path(name), 'utf8')
  const selfSigned = (name: string, subject: string): Certificate => {
    const made = ['-x509', '-days', '2', '-subj', subject, '-keyout', path(`${name}.key`)]
    openssl('req', ...curve, ...made, '-addext', 'subjectAltName=IP:127.0.0.1', '-out', path(`${name}.crt`))
    return { cert: read(`${name}.crt`), key: read(`${name}.key`) }
  }
  const signed = (name: string, days: number, names: string): Certificate => {
    writeFileSync(path('names'), `subjectAltName=${names}\n`)
    const [key, csr, crt] = [path(`${name}.key`), path(`${name}.csr`), path(`${name}.crt`)]
    openssl('req', ...curve, '-subj', `/CN=${name}`, '-keyout', key, '-out', csr)
    const by = ['-CA', path('ca.crt'), '-CAkey', path('ca.key'), '-CAcreateserial', '-days', `${days}`]
    openssl('x509', '-req', ...by, '-in', csr, '-out', crt, '-extfile', path('names'))
    return { cert: read(`${name}.crt`), key: read(`${name}.key`) }
  }
  try {
    const here = 'IP:127.0.0.1,DNS:localhost'
    return {
      ca: selfSigned('ca', '/CN=test authority').cert,
      good: signed('good', 2, here),
      expired: signed('expired', -1, here),
      other: signed('other', 2, 'DNS:broker.example'),
      self: selfSigned('self', '/CN=self'),
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** A TLS server on 127.0.0.1 that shows this certificate and says nothing. */
export async function startTlsServer(certificate: Certificate): Promise<{ port: number; close(): void }> {
  const server = createServer({ ...certificate }, (socket) => socket.on('error', () => undefined))
  server.on('tlsClientError', () => undefined)
  return { port: await listen(server), close: () => server.close() }
}
