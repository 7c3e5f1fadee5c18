// TLS to a database server, as its url has it. Files are read at every connection, so that renewed ones are used.

import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { EngineError } from './error.ts'
import type { EngineTls } from './url.ts'

/** Options for the connection; false: it is not encrypted. Throws EngineError for files that cannot be read. */
export function tlsOptions({ mode, rootCert, cert, key }: EngineTls): ConnectionOptions | false {
  if (mode === 'disable') return false
  const isVerified = mode !== 'require' || rootCert !== undefined // as libpq has it
  return {
    rejectUnauthorized: isVerified,
    ...(rootCert !== undefined && rootCert !== 'system' && { ca: fileOf(rootCert, 'sslrootcert') }),
    ...(cert !== undefined && { cert: fileOf(cert, 'sslcert') }),
    ...(key !== undefined && { key: fileOf(key, 'sslkey') }),
    ...(mode !== 'verify-full' && { checkServerIdentity: () => undefined }),
  }
}

function fileOf(path: string, parameter: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const { code }: { code?: unknown } = Object(error)
    throw new EngineError(`store.url: the file of ${parameter} cannot be read (${code})`, true)
  }
}
