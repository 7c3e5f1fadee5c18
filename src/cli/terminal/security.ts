// Options of the commands that can reach a gateway at dtls://: whose key, which certificates. Keys come from files or variables, too,
// so that nobody sees them in the list of processes.

import { readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { isSecure, type SecurityOptions } from '../../sensor/security.ts'
import { parseSharedKey, readPskFile, type SharedKey } from '../psk/psk-file.ts'

/** What `addSecurityOptions` adds. */
export interface SecurityFlags {
  psk?: string
  pskFile?: string
  pskIdentity?: string
  cert?: string
  key?: string
  ca?: string
  serverName?: string
}

/** Exit code for wrong usage. */
const USAGE = 2

/** Adds the options for `dtls://`. */
export function addSecurityOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--psk <identity:hex>', 'for dtls://: the key shared with the gateway').env('MQTTSN_PSK'),
    )
    .addOption(
      new Option('--psk-file <path>', 'the same out of a file of such lines, see mqttsn psk').env(
        'MQTTSN_PSK_FILE',
      ),
    )
    .option('--psk-identity <identity>', 'which one of the file (default: the client id, or the only one)')
    .option('--ca <path>', 'for dtls://: certificates of the authorities whose gateways are trusted, PEM')
    .option('--cert <path>', 'own certificate, PEM')
    .option('--key <path>', 'its private key, PEM')
    .option('--server-name <name>', "the name in the gateway's certificate (default: its host)")
}

/**
 * What the options say of security for this gateway, and the keys of the file; `isMany`: each of many sensors may take its own.
 * Ends the command where they do not fit together.
 */
export function securityOf(
  flags: SecurityFlags & { clientId?: string },
  gateway: string,
  command: Command,
  isMany = false,
): SecurityOptions & { readonly keys: ReadonlyMap<string, SharedKey> } {
  const refuse = (message: string): never => command.error(`error: ${message}`, { exitCode: USAGE })
  const { psk, pskFile, cert, key, ca, serverName } = flags
  const keys = new Map<string, SharedKey>()
  if (!isSecure(gateway)) {
    const given = ['psk', 'pskFile', 'pskIdentity', 'cert', 'key', 'ca', 'serverName'].find(
      (name) => command.getOptionValueSource(name) === 'cli',
    )
    if (given !== undefined)
      refuse(
        `--${given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} needs a gateway at dtls://`,
      )
    return { keys }
  }
  if (!/:\d+$/.test(gateway)) refuse('dtls:// has no usual port: give it, as in dtls://host:8883')
  if (psk === undefined && pskFile === undefined && ca === undefined)
    refuse('dtls:// needs --psk or --psk-file, or --ca for a gateway with a certificate')
  if ((cert === undefined) !== (key === undefined)) refuse('--cert and --key belong together')
  if (cert !== undefined && ca === undefined) refuse('--cert needs --ca, to know the gateway by')
  const read = (option: string, path: string | undefined): string | undefined => {
    try {
      return path === undefined ? undefined : readFileSync(path, 'utf8')
    } catch (error) {
      return refuse(`--${option}: ${error instanceof Error ? error.message : error}`)
    }
  }
  const texts = { cert: read('cert', cert), key: read('key', key), ca: read('ca', ca) }
  const isFromFile =
    pskFile !== undefined &&
    (psk === undefined ||
      (command.getOptionValueSource('psk') === 'env' && command.getOptionValueSource('pskFile') === 'cli'))
  if (isFromFile) {
    try {
      for (const [identity, one] of readPskFile(pskFile)) keys.set(identity, one)
    } catch (error) {
      refuse(`--psk-file: ${error instanceof Error ? error.message : error}`)
    }
  }
  // the value is not repeated: it is a secret, and standard error may be kept
  const named = command.getOptionValueSource('psk') === 'env' ? 'MQTTSN_PSK' : '--psk'
  const given = (text: string) =>
    parseSharedKey(text) ?? refuse(`${named}: expected identity:key with 8 to 64 octets in hex`)
  const chosen = isFromFile ? choose(keys, flags, isMany, refuse) : psk === undefined ? undefined : given(psk)
  return {
    keys,
    ...(chosen !== undefined && { psk: chosen }),
    ...(texts.cert !== undefined && { cert: texts.cert }),
    ...(texts.key !== undefined && { key: texts.key }),
    ...(texts.ca !== undefined && { ca: texts.ca }),
    ...(serverName !== undefined && { serverName }),
  }
}

/** The key of the file that is meant. */
function choose(
  keys: ReadonlyMap<string, SharedKey>,
  { pskIdentity, pskFile, clientId }: SecurityFlags & { clientId?: string },
  isMany: boolean,
  refuse: (message: string) => never,
): SharedKey | undefined {
  if (pskIdentity !== undefined)
    return (
      keys.get(pskIdentity) ??
      refuse(`--psk-identity: ${pskFile} has no key for ${JSON.stringify(pskIdentity)}`)
    )
  const [only, ...others] = keys.values()
  if (only === undefined) return refuse(`--psk-file: ${pskFile} has no key`)
  const named = clientId === undefined ? undefined : keys.get(clientId)
  if (named !== undefined || others.length === 0) return named ?? only
  return isMany ? undefined : refuse(`--psk-file: ${pskFile} has several keys: --psk-identity says which one`)
}
