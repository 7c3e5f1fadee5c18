// What goes wrong with a database server, in words for people that name the key to change. None of them quotes a password.

/** Something that was asked of the engine did not come about, or nobody knows whether it did. */
export class EngineError extends Error {
  /** the SQLSTATE, or that of the system; undefined for what has none */
  readonly code: string | undefined
  /** it will not answer on this connection any more */
  readonly isLost: boolean

  constructor(message: string, isLost: boolean, code?: string) {
    super(message)
    this.isLost = isLost
    this.code = code
  }
}

/**
 * SQLSTATEs after which this server is not the one to talk to, since it stops, has crashed, or takes no writes; and after which it knows
 * nothing any more of what it was told on this connection, or has another opinion of the tables.
 */
const LOST = new Set(['57P01', '57P02', '57P03', '57P05', '25006', '26000', '25P02', '0A000'])

const WORDS: Readonly<Record<string, string>> = {
  '28P01': 'it does not accept user and password: see store.url, or store.username and store.password',
  '28000': 'it does not let this user in from here: see store.url, and pg_hba.conf of the server',
  '3D000': 'there is no such database: create it, or change the end of store.url',
  '42501': 'the user of store.url lacks a permission',
  '42P01':
    'a table of the gateway is missing: restore the database, or start the gateway again without its sessions',
  '53100': 'the disk of the database server is full: free some space',
  '53300': 'it has too many connections: raise its max_connections',
  '57P03': 'it is starting or stopping',
  '25006': 'it takes no writes: it is a standby, or read-only',
  '57014': 'it has not finished in time',
  '55P03': 'what was asked before is not finished yet: see whether its standby answers',
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'its name cannot be looked up at the moment',
  EHOSTUNREACH: 'it cannot be reached',
  ENETUNREACH: 'its network cannot be reached',
  ENOENT: 'there is no such socket',
  EACCES: 'its socket may not be used by this user',
  ECONNRESET: 'the connection was closed',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself: name it in store.url as sslrootcert',
  SELF_SIGNED_CERT_IN_CHAIN:
    'its certificate is signed by an unknown authority: name that in store.url as sslrootcert',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate is signed by an unknown authority: name that in store.url as sslrootcert',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its certificate is signed by an unknown authority: name that in store.url as sslrootcert',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'its certificate is for another name: see the host in store.url, or sslmode=verify-ca',
}

const codeOf = (error: unknown): string | undefined => {
  const { code }: { code?: unknown } = Object(error)
  return typeof code === 'string' ? code : undefined
}

/** What the packages say of a server, made ready for people. */
export function engineError(host: string, error: unknown): EngineError {
  if (error instanceof EngineError) return error
  const code = codeOf(error)
  const said = error instanceof Error ? error.message : String(error)
  // what the server says has a severity; anything else is the end of the connection
  const isSaid = Object(error).severity !== undefined && code !== undefined
  const isLost = !isSaid || LOST.has(code) || code.startsWith('08')
  const known = code === undefined ? undefined : WORDS[code]
  const words = known === undefined || code === '42501' ? [known, said].filter(Boolean).join(': ') : known
  return new EngineError(`the database server ${host}: ${words}`, isLost, code)
}
