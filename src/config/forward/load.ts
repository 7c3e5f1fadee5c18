// Loads what `mqttsn forward` is told: as the gateway's configuration is read, and with its keys and certificates tried.

import { resolve } from 'node:path'
import { signerOf } from '../../dtls/crypto/chance.ts'
import { createTrust, derChain } from '../../dtls/crypto/x509.ts'
import { isReadableByAll, parsePskFile } from '../dtls/psk-file.ts'
import { type DocumentKind, type DocumentSource, readDocument } from '../reading/document.ts'
import { FORWARD_VARIABLES } from '../reading/environment.ts'
import { isObject } from '../reading/path.ts'
import { ConfigError, type Problem } from '../reading/problems.ts'
import { readText } from '../reading/references.ts'
import { isDtls } from '../sections/addresses.ts'
import { isLoopback } from '../sections/networks.ts'
import { forwardContradictions } from './contradictions.ts'
import {
  forwardSchema,
  type ParsedForward,
  type ParsedSource,
  type ParsedTarget,
  sourceOf,
  targetOf,
} from './schema.ts'
import { hasShortIds, nodeOf } from './wires.ts'

/** One link to nodes. */
export type ForwardSource = Omit<ParsedSource, 'name' | 'node'> & {
  readonly name: string
  /** octets before the own ids of its nodes; of a wire the id of its node */
  readonly node: Uint8Array
}

/** The gateway, with the key read. */
export type ForwardTarget = Omit<ParsedTarget, 'psk' | 'pskFile' | 'pskIdentity'> & {
  readonly psk: { readonly identity: string; readonly key: Uint8Array } | undefined
}

/** What a forwarder works with: times in milliseconds. */
export interface ForwardConfig extends Pick<ParsedForward, 'nested' | 'answerSearch' | 'metrics' | 'log'> {
  readonly from: readonly ForwardSource[]
  readonly to: ForwardTarget
  readonly keepalive: number
}

/** What can be used, and what is unwise about it. */
export interface LoadedForward {
  readonly config: ForwardConfig
  readonly warnings: readonly string[]
}

/** Octets of the largest file of keys. */
const LARGEST = 1024 * 1024
/** Time between two questions to the gateway, milliseconds: mappings of NAT for UDP live for half a minute, often longer. */
const KEEPALIVE = { udp: 25_000, dtls: 60_000 }
/** Octets below which a key is weaker than the ciphers. */
const LONG_ENOUGH = 16

const DOCUMENT: DocumentKind<typeof forwardSchema> = {
  schema: forwardSchema,
  variables: FORWARD_VARIABLES,
  instead: {
    such: 'such as {"from": ["udp://0.0.0.0:1885"], "to": "udp://gateway.example:1884"}',
    toWrite: 'without -c, --from and --to say the same',
  },
  hints: false,
  prepare: withUsualVariables,
  contradictions: forwardContradictions,
}

/** The variables that all commands have for a gateway at dtls:// count where nothing else names a key. */
function withUsualVariables(tree: unknown, env: DocumentSource['env']): unknown {
  if (!isObject(tree)) return tree
  const to = typeof tree['to'] === 'string' ? { url: tree['to'] } : tree['to']
  if (!isObject(to) || !String(to['url']).startsWith('dtls:')) return tree
  const { MQTTSN_PSK: psk, MQTTSN_PSK_FILE: pskFile } = env
  if (to['psk'] !== undefined || to['pskFile'] !== undefined || (psk ?? pskFile) === undefined) return tree
  // a text in a variable is no reference to others
  const plain = (text: string) => text.replaceAll('${', '$${')
  const key = psk === undefined ? { pskFile: resolve(pskFile ?? '') } : { psk }
  const [[name = '', value = ''] = []] = Object.entries(key)
  return { ...tree, to: { ...to, [name]: plain(value) } }
}

/** Loads it; throws `ConfigError` with everything that is wrong. */
export function loadForward(source: DocumentSource): LoadedForward {
  const { parsed, directory } = readDocument(DOCUMENT, source)
  const sources = parsed.from.map(sourceOf)
  const target = targetOf(parsed.to)
  const problems: Problem[] = []
  const psk = readKey(target, directory, problems)
  checkCertificates(target, problems)
  if (problems.length > 0) throw new ConfigError(problems, source.file)
  const { psk: _, pskFile: __, pskIdentity: ___, ...rest } = target
  const config: ForwardConfig = {
    from: sources.map((one, i) => ({
      ...one,
      name: one.name ?? one.url,
      node: Uint8Array.from(Buffer.from(nodeOf(sources, i), 'hex')),
    })),
    to: { ...rest, psk },
    nested: parsed.nested,
    answerSearch: parsed.answerSearch,
    keepalive: parsed.keepalive ?? KEEPALIVE[isDtls(target.url) ? 'dtls' : 'udp'],
    metrics: parsed.metrics,
    log: parsed.log,
  }
  return { config, warnings: [...warningsOf(config, target, directory)] }
}

/** The key that is meant; what is wrong with it goes to `problems`, never the key itself. */
function readKey(
  { psk, pskFile, pskIdentity }: ParsedTarget,
  directory: string,
  problems: Problem[],
): ForwardTarget['psk'] {
  if (psk !== undefined) return keyIn(parsePskFile(psk).keys, undefined)
  if (pskFile === undefined) return undefined
  const wrong = (key: string, found: string, expected: string): undefined => {
    problems.push({ path: `to.${key}`, found, expected })
  }
  try {
    const read = parsePskFile(readText(resolve(directory, pskFile), LARGEST))
    const [fault] = read.problems
    if (fault !== undefined) return wrong('pskFile', fault, 'lines of "identity:hexkey", each identity once')
    if (pskIdentity === undefined && read.keys.size !== 1)
      return wrong(
        'pskIdentity',
        `${read.keys.size} keys in ${pskFile}`,
        'the identity of one of them (--psk-identity)',
      )
    return (
      keyIn(read.keys, pskIdentity) ??
      wrong(
        'pskIdentity',
        `no key for ${JSON.stringify(pskIdentity)} in ${pskFile}`,
        'an identity that has one',
      )
    )
  } catch (error) {
    return wrong('pskFile', error instanceof Error ? error.message : String(error), 'a readable file')
  }
}

function keyIn(keys: ReadonlyMap<string, Uint8Array>, wanted: string | undefined): ForwardTarget['psk'] {
  for (const [identity, key] of keys)
    if (wanted === undefined || identity === wanted) return { identity, key }
  return undefined
}

function checkCertificates({ cert, key, ca }: ParsedTarget, problems: Problem[]): void {
  const attempt = (name: string, expected: string, use: () => unknown): void => {
    try {
      use()
    } catch {
      // OpenSSL's own words say nothing to people, and may quote
      problems.push({ path: `to.${name}`, found: 'what cannot be read', expected })
    }
  }
  if (cert) attempt('cert', 'certificates in PEM', () => derChain(cert))
  if (key) attempt('key', 'a private key in PEM, on the curve P-256, without passphrase', () => signerOf(key))
  if (ca) attempt('ca', 'certificates in PEM', () => createTrust({ authorities: ca, purpose: 'server' }))
}

/** What works and is unwise. */
function* warningsOf(
  { from, to, metrics }: ForwardConfig,
  target: ParsedTarget,
  directory: string,
): Generator<string> {
  for (const [i, { url }] of from.entries()) {
    if (/^serial:\/\/\/dev\/tty(USB|ACM)\d/.test(url))
      yield `from[${i}].url: after a replug this name may be that of another device; the one in /dev/serial/by-id stays`
  }
  const short = from.filter(({ url, node }) => hasShortIds(url) && node.length === 0)
  if (short.length > 1)
    yield `from: ids of nodes of ${short.map(({ name }) => name).join(' and ')} may be the same: give all but one a "node", which is put before them`
  if (to.psk !== undefined && to.psk.key.length < LONG_ENOUGH)
    yield 'to.psk: a key of fewer than 16 octets is weak'
  if (target.pskFile !== undefined && isReadableByAll(resolve(directory, target.pskFile)))
    yield 'to.pskFile: every user of this machine can read it: chmod 640 or less'
  if (metrics !== undefined && !isLoopback(hostOf(metrics)))
    yield 'metrics: everybody who reaches this address can read them'
}

const hostOf = (url: string): string =>
  new URL(url).hostname.replace(/^\[|\]$/g, '').replace('localhost', '127.0.0.1')
