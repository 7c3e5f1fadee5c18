// Which other implementations are here, those in C compiled from the sources of this folder.

import { join } from 'node:path'
import * as pki from '../../../lab/pki.ts'
import { folder, put, runs } from './program.ts'

export const haveOpenssl = runs('openssl', 'version')
export const haveGnutls = runs('gnutls-cli', '--version') && runs('gnutls-serv', '--version')

/** Erlang with its ssl application. */
export const haveErlang = runs(
  'erl',
  '-noshell',
  '-eval',
  '{ok, _} = application:ensure_all_started(ssl), halt(0).',
)

/** Compiles a client of this folder; undefined where compiler or library are missing. */
function compiled(name: string, ...libraries: string[]): string | undefined {
  const source = new URL(`${name}.c`, import.meta.url).pathname
  const program = join(folder, name)
  return runs('gcc', '-O1', '-o', program, source, ...libraries) ? program : undefined
}

export const mbedtlsClient = compiled('mbedtls-client', '-lmbedtls', '-lmbedx509', '-lmbedcrypto')
export const wolfsslClient = compiled('wolfssl-client', '-lwolfssl')

/** Paths of files with the test's certificates. */
export const files = {
  ca: put('ca.pem', pki.ca.cert),
  clientCert: put('client.pem', pki.client.cert),
  clientKey: put('client.key', pki.client.key),
  serverCert: put('server.pem', pki.server.cert),
  serverKey: put('server.key', pki.server.key),
}
