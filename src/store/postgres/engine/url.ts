// What an url of a PostgreSQL database says: postgres://user:password@host1,host2:5433/database?sslmode=verify-full. Pure.

/** One server of several that hold the same; a host that begins with / is the folder of a Unix socket. */
export interface EngineHost {
  readonly host: string
  readonly port: number
}

export const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const

/** How the connection is protected. */
export interface EngineTls {
  /** `require` encrypts without looking who answers; `verify-ca` looks who has signed for it, `verify-full` also for which name */
  readonly mode: (typeof SSL_MODES)[number]
  /** files in PEM */
  readonly rootCert?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** Where the database is. */
export interface EngineAddress {
  readonly hosts: readonly EngineHost[]
  readonly database: string
  readonly tls: EngineTls
}

/** What an url says; user information is decoded. */
export interface EngineUrl extends EngineAddress {
  readonly username: string | undefined
  readonly password: string | undefined
}

export const ENGINE_EXAMPLE =
  'postgres://user:password@host:5432/database, also of several hosts (host1,host2), with ?sslmode=verify-full for TLS'

// what stands before the last @ is user and password, which may have come from a file as they are
const URL_FORM = /^postgres(?:ql)?:\/\/(?:(.*)@)?([^@/?#\s]*)(?:\/([^@/?#\s]*))?(?:\?([^@#\s]*))?$/s
const HOST_FORM = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/i
const PARAMETERS = ['host', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'] as const
const PORT = 5432

class Unreadable extends Error {}

/** What the url says, or what is expected instead; that quotes nothing of it. */
export function readEngineUrl(url: string): EngineUrl | { readonly expected: string } {
  const parts = URL_FORM.exec(url)
  if (parts === null)
    return { expected: `${ENGINE_EXAMPLE}; other characters in its parts are written as %2F` }
  try {
    const [, user, hosts = '', database = '', query = ''] = parts
    const parameters = readParameters(query)
    const [username, password] = userOf(user)
    const name = decode(database) || username
    if (name === undefined) throw new Unreadable('the name of a database at the end, such as /mqttsn')
    return {
      hosts: (hosts || (parameters.get('host') ?? '')).split(',').map(readHost),
      database: name,
      username,
      password,
      tls: tlsOf(parameters),
    }
  } catch (error) {
    if (error instanceof Unreadable) return { expected: error.message }
    throw error
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Unreadable('legal escapes such as %2F')
  }
}

function userOf(text = ''): [username: string | undefined, password: string | undefined] {
  const colon = text.indexOf(':')
  const [user, password] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
  return [unescaped(user), unescaped(password)]
}

/** What has no legal escapes has none. */
function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text) || undefined
  } catch {
    return text
  }
}

function readHost(text: string): EngineHost {
  const expected = 'hosts as host, host:port or [IPv6]:port, with commas between them'
  const parts = HOST_FORM.exec(text.startsWith('/') ? encodeURIComponent(text) : text)
  const host = parts?.[1] ?? decode(parts?.[2] ?? '')
  const port = parts?.[3] === undefined ? PORT : Number(parts[3])
  if (host === '' || port < 1 || port > 65_535) throw new Unreadable(expected)
  return { host, port }
}

function readParameters(query: string): Map<string, string> {
  const read = new Map<string, string>()
  for (const pair of query === '' ? [] : query.split('&')) {
    const [name = '', value = ''] = pair.split('=', 2)
    if (!(PARAMETERS as readonly string[]).includes(name))
      throw new Unreadable(`no parameters but ${PARAMETERS.join(', ')}`)
    read.set(name, decode(value))
  }
  return read
}

function tlsOf(parameters: ReadonlyMap<string, string>): EngineTls {
  const [rootCert, cert, key] = [
    parameters.get('sslrootcert'),
    parameters.get('sslcert'),
    parameters.get('sslkey'),
  ]
  const written = parameters.get('sslmode') ?? (rootCert === undefined ? 'disable' : 'verify-full')
  const mode = SSL_MODES.find((one) => one === written)
  if (mode === undefined) throw new Unreadable(`sslmode of ${SSL_MODES.join(', ')}`)
  if ((cert === undefined) !== (key === undefined)) throw new Unreadable('sslcert and sslkey, or neither')
  return { mode, rootCert, cert, key }
}

/** The url without user and password. */
export const withoutUser = (url: string): string => url.replace(/:\/\/.*@/s, '://')

/** As people write it. */
export const hostText = ({ host, port }: EngineHost): string =>
  host.startsWith('/') ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`
