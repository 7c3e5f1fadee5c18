// DTLS listeners of EMQX: those that ask each sensor for a certificate of its own become ours; of the others it is said why not.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these references are resolved by the gateway

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Draft, isFile, type Tree } from '../draft.ts'
import { addDtlsStandIn } from '../dtls-listener.ts'
import type { Setting, Settings } from '../settings.ts'

/** Suites with certificates that both have, by the names of OpenSSL and of the specifications. */
const COMMON = /^(?:TLS_)?ECDHE[-_]ECDSA[-_](?:WITH[-_])?AES[-_]?128[-_](?:GCM[-_]SHA256|CCM(?:[-_]?8)?)$/i
const PSK = /(?:^|[-_])PSK[-_]/i

/** EMQX's keys are text, ours are octets in hexadecimal digits. */
const PSK_LINES = `while IFS=: read -r id key; do printf '%s:%s\\n' "$id" "$(printf %s "$key" | od -An -tx1 | tr -d ' \\n')"; done`

interface DtlsAddress {
  readonly name: string
  readonly url: string
  readonly version: 4 | 6
  readonly port: string
}

/** Writes a DTLS listener; `bind` says where it is, and stands with the reasons if it cannot be had here. */
export function importEmqxDtls(
  settings: Settings,
  key: string,
  { name, url, version, port }: DtlsAddress,
  bind: Setting | undefined,
  draft: Draft,
): Tree {
  const options = new Options(settings.takeBelow(`${key}.dtls_options`), `${key}.dtls_options.`)
  const reasons = reasonsAgainst(options, settings)
  if (reasons.length > 0) {
    const used = [...(bind ? [bind] : []), ...options.all]
    const listener = addDtlsStandIn(draft, { version, port, used })
    for (const reason of reasons) draft.note(bind ?? key, `no dtls:// listener: ${reason}`)
    return listener
  }
  const reference = (option: string) => '${file:' + options.path(option) + '}'
  const dtls = {
    cert: reference('certfile'),
    key: reference('keyfile'),
    clientCa: reference('cacertfile'),
  }
  const listener = draft.add('listeners', { name, url, dtls })
  draft.comment(listener, `${bind?.key ?? key} (${bind?.place ?? ''})`)
  for (const one of options.left()) draft.note(one, 'not taken over: see the keys of listeners[].dtls')
  return listener
}

/**
 * In EMQX a certificate gets a sensor in, and says nothing of its ClientId. Once all listeners are written: the same here, where
 * each of them has DTLS.
 */
export function importEmqxIdentities(draft: Draft): void {
  const listeners = draft.entries('listeners')
  const secure = listeners.filter(({ dtls }) => dtls !== undefined)
  if (secure.length === 0) return
  const place = 'sensors[0].identity'
  if (secure.length === listeners.length) {
    draft.set(['sensors', 0, 'identity'], ['*'])
    draft.note(
      place,
      'with any certificate a sensor may have any ClientId, as in EMQX; without this key the name in the certificate (CN) must be the ClientId, which is safer',
    )
  } else
    draft.note(
      place,
      'not set, since it would shut out sensors without DTLS: the name in the certificate (CN) must be the ClientId, which EMQX does not ask for',
    )
}

/** Why a listener cannot be had here as it is; empty: it can. */
function reasonsAgainst(options: Options, settings: Settings): string[] {
  const reasons: string[] = []
  const isPsk = options.list('ciphers').some((cipher) => PSK.test(cipher))
  if (isPsk) {
    const file = settings.left('psk_authentication.init_file')[0]?.value ?? 'FILE'
    return [
      `its keys are text, and here they are octets in hexadecimal digits; ${PSK_LINES} < ${file} > psk.txt makes what "psk": { "file": "psk.txt" } takes, where both have the cipher suite`,
    ]
  }
  const verify = options.value('verify')
  if (verify !== 'verify_peer' || options.value('fail_if_no_peer_cert') !== 'true')
    reasons.push(
      'it lets in sensors without a certificate of their own (verify, fail_if_no_peer_cert), and here each proves who it is',
    )
  const versions = options.list('versions')
  if (versions.length > 0 && !versions.includes('dtlsv1.2'))
    reasons.push('it speaks DTLS 1.0 only (versions)')
  const ciphers = options.list('ciphers')
  if (ciphers.length > 0 && !ciphers.some((cipher) => COMMON.test(cipher)))
    reasons.push('it has no cipher suite of listeners[].dtls.ciphers (ciphers)')
  if (options.value('password')) reasons.push('its key has a passphrase (password)')
  for (const option of ['cacertfile', 'certfile', 'keyfile']) {
    const path = options.path(option)
    if (path === undefined) reasons.push(`it has no ${option}`)
    else if (!isFile(path)) reasons.push(`there is no file ${path} here (${option}): import where it is`)
  }
  if (reasons.length === 0) reasons.push(...faultsOfFiles(options))
  return reasons
}

function faultsOfFiles(options: Options): string[] {
  const read = (option: string) => readFileSync(options.path(option) ?? '', 'utf8')
  try {
    const key = createPrivateKey(read('keyfile'))
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
      return ['its key is not on the curve P-256 (keyfile)']
    if (!new X509Certificate(read('certfile')).checkPrivateKey(key))
      return ['its key is that of another certificate (keyfile, certfile)']
    new X509Certificate(read('cacertfile'))
    return []
  } catch {
    return ['its certificates or its key cannot be read (cacertfile, certfile, keyfile)']
  }
}

/** The options of one listener, and which of them were asked for. */
class Options {
  readonly all: readonly Setting[]
  readonly #start: string
  readonly #asked = new Set<Setting>()

  constructor(all: readonly Setting[], start: string) {
    this.all = all
    this.#start = start
  }

  value(option: string): string | undefined {
    return this.list(option)[0]
  }

  /** A list has a setting for each entry; one alone may be divided by commas. */
  list(option: string): string[] {
    const name = `${this.#start}${option}`
    const found = this.all.filter(({ key }) => key === name || key.startsWith(`${name}.`))
    for (const one of found) this.#asked.add(one)
    return found.flatMap(({ value }) => (option.endsWith('file') ? [value] : value.split(/\s*,\s*/)))
  }

  path(option: string): string | undefined {
    const value = this.value(option)
    return value === undefined || value === '' ? undefined : resolve(value)
  }

  left(): Setting[] {
    return this.all.filter((one) => !this.#asked.has(one))
  }
}
