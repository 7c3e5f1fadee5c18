// How other implementations are started, one suite with keys and one with certificates each, for what any suite will show.

import { IDENTITY, KEY } from '../world.ts'
import { files, haveErlang, haveGnutls, haveOpenssl, mbedtlsClient, wolfsslClient } from './installed.ts'
import { pion } from './pion.ts'
import { put } from './program.ts'
import { scandium } from './scandium.ts'

export type Kind = 'psk' | 'certificate'

export interface PeerClient {
  readonly name: string
  readonly isHere: boolean
  readonly kinds: readonly Kind[]
  /** program and arguments */
  command(port: number, kind: Kind): string[]
  /** what it sends, and says when it comes back; `writes` = it sends what it is told */
  readonly hello: string
  readonly writes: boolean
}

export interface PeerServer {
  readonly name: string
  readonly isHere: boolean
  readonly kinds: readonly Kind[]
  command(port: number, kind: Kind): string[]
  /** what it says when it can be reached */
  readonly ready: string
  /** it sends back what it gets, or says it */
  readonly echoes: boolean
  readonly suites: Readonly<Record<Kind, number>>
}

const hexKey = Buffer.from(KEY).toString('hex')
const both: readonly Kind[] = ['psk', 'certificate']
const CCM_8 = { psk: 0xc0a8, certificate: 0xc0ae }

const clientProof = (kind: Kind): string[] =>
  kind === 'psk' ? ['psk', IDENTITY, hexKey] : ['cert', files.ca, files.clientCert, files.clientKey]
const serverProof = (kind: Kind): string[] =>
  kind === 'psk' ? ['psk', IDENTITY, hexKey] : ['cert', files.ca, files.serverCert, files.serverKey]

const opensslSuite = (kind: Kind): string[] => [
  '-cipher',
  `${kind === 'psk' ? 'PSK-AES128-CCM8' : 'ECDHE-ECDSA-AES128-CCM8'}:@SECLEVEL=0`,
  '-mtu',
  '400',
  '-timeout',
]

const gnutlsPriority = (kind: Kind): string[] => [
  '--mtu',
  '400',
  '--priority',
  `NORMAL:-VERS-ALL:+VERS-DTLS1.2:-KX-ALL:${kind === 'psk' ? '+PSK' : '+ECDHE-ECDSA'}:-CIPHER-ALL:+AES-128-CCM-8`,
]

function erlangScript(port: number, kind: Kind): string {
  const exchange = kind === 'psk' ? 'psk' : 'ecdhe_ecdsa'
  const proof =
    kind === 'psk'
      ? `{psk_identity, "${IDENTITY}"}, {user_lookup_fun, {fun(psk, _, _) -> {ok, <<${[...KEY].join(',')}>>} end, undefined}}`
      : `{certfile, "${files.clientCert}"}, {keyfile, "${files.clientKey}"}, {cacertfile, "${files.ca}"}`
  const options = [
    "{protocol, dtls}, {versions, ['dtlsv1.2']}, {verify, verify_none}, {active, false}",
    `{ciphers, [#{key_exchange => ${exchange}, cipher => aes_128_gcm, mac => aead, prf => sha256}]}`,
    proof,
  ]
  return [
    'ssl:start()',
    `{ok, S} = ssl:connect({127,0,0,1}, ${port}, [${options.join(', ')}], 60000)`,
    'ok = ssl:send(S, "hello of erlang")',
    '{ok, Echo} = ssl:recv(S, 0, 60000)',
    'io:format("~s~n", [Echo]), ssl:close(S), halt(0).',
  ].join(', ')
}

export const peerClients: readonly PeerClient[] = [
  {
    name: 'OpenSSL',
    isHere: haveOpenssl,
    kinds: both,
    command: (port, kind) => [
      ...['openssl', 's_client', '-dtls1_2', '-connect', `127.0.0.1:${port}`, ...opensslSuite(kind)],
      ...(kind === 'psk'
        ? ['-psk', hexKey, '-psk_identity', IDENTITY]
        : ['-cert', files.clientCert, '-key', files.clientKey, '-CAfile', files.ca]),
    ],
    hello: 'hello of openssl',
    writes: true,
  },
  {
    name: 'GnuTLS',
    isHere: haveGnutls,
    kinds: both,
    command: (port, kind) => [
      ...[
        'gnutls-cli',
        '--udp',
        '-p',
        `${port}`,
        '127.0.0.1',
        ...gnutlsPriority(kind),
        '--no-ca-verification',
      ],
      ...(kind === 'psk'
        ? ['--pskusername', IDENTITY, '--pskkey', hexKey]
        : ['--x509cafile', files.ca, '--x509certfile', files.clientCert, '--x509keyfile', files.clientKey]),
    ],
    hello: 'hello of gnutls',
    writes: true,
  },
  {
    name: 'Mbed TLS',
    isHere: mbedtlsClient !== undefined,
    kinds: both,
    command: (port, kind) => [
      mbedtlsClient ?? '',
      `${port}`,
      kind === 'psk' ? 'TLS-PSK-WITH-AES-128-CCM-8' : 'TLS-ECDHE-ECDSA-WITH-AES-128-CCM-8',
      ...clientProof(kind),
    ],
    hello: 'hello of mbedtls',
    writes: false,
  },
  {
    name: 'wolfSSL',
    isHere: wolfsslClient !== undefined,
    kinds: both,
    command: (port, kind) => [
      wolfsslClient ?? '',
      `${port}`,
      kind === 'psk' ? 'ECDHE-PSK-AES128-GCM-SHA256' : 'ECDHE-ECDSA-AES128-CCM-8',
      ...clientProof(kind),
    ],
    hello: 'hello of wolfssl',
    writes: false,
  },
  {
    name: 'Erlang',
    isHere: haveErlang,
    kinds: both,
    command: (port, kind) => ['erl', '-noshell', '-eval', erlangScript(port, kind)],
    hello: 'hello of erlang',
    writes: false,
  },
  {
    name: 'pion',
    isHere: pion !== undefined,
    kinds: both,
    command: (port, kind) => [
      pion ?? '',
      'client',
      `${port}`,
      CCM_8[kind].toString(16),
      ...clientProof(kind),
    ],
    hello: 'hello of pion',
    writes: false,
  },
  {
    name: 'Scandium',
    isHere: scandium !== undefined,
    kinds: both,
    command: (port, kind) => [
      ...['java', ...(scandium ?? []), 'client', `${port}`],
      kind === 'psk' ? 'TLS_PSK_WITH_AES_128_CCM_8' : 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8',
      ...clientProof(kind),
    ],
    hello: 'hello of scandium',
    writes: true,
  },
]

export const peerServers: readonly PeerServer[] = [
  {
    name: 'OpenSSL',
    isHere: haveOpenssl,
    kinds: both,
    command: (port, kind) => [
      // with -listen, which makes it ask for a cookie, it never repeats a flight
      ...['openssl', 's_server', '-dtls1_2', '-accept', `127.0.0.1:${port}`, ...opensslSuite(kind)],
      ...(kind === 'psk'
        ? ['-nocert', '-psk', hexKey, '-psk_identity', IDENTITY]
        : ['-cert', files.serverCert, '-key', files.serverKey, '-CAfile', files.ca, '-Verify', '3']),
    ],
    ready: 'ACCEPT',
    echoes: false,
    suites: CCM_8,
  },
  {
    name: 'GnuTLS',
    isHere: haveGnutls,
    kinds: both,
    command: (port, kind) => [
      ...['gnutls-serv', '--udp', '-p', `${port}`, '--echo', ...gnutlsPriority(kind)],
      ...(kind === 'psk'
        ? ['--pskpasswd', put('bad-network-psk.txt', `${IDENTITY}:${hexKey}\n`)]
        : [
            ...['--x509cafile', files.ca, '--x509certfile', files.serverCert],
            ...['--x509keyfile', files.serverKey, '--require-client-cert'],
          ]),
    ],
    ready: 'listening',
    echoes: true,
    suites: CCM_8,
  },
  {
    name: 'pion',
    isHere: pion !== undefined,
    kinds: both,
    command: (port, kind) => [
      pion ?? '',
      'server',
      `${port}`,
      CCM_8[kind].toString(16),
      ...serverProof(kind),
    ],
    ready: 'listening',
    echoes: true,
    suites: CCM_8,
  },
  {
    name: 'Scandium',
    isHere: scandium !== undefined,
    kinds: both,
    command: (port) => [
      ...['java', ...(scandium ?? []), 'server', `${port}`, IDENTITY, hexKey],
      ...[files.ca, files.serverCert, files.serverKey],
    ],
    ready: 'listening',
    echoes: true,
    suites: CCM_8,
  },
]
