// Other implementations over loopback: OpenSSL, GnuTLS, Mbed TLS, wolfSSL and Erlang as clients of our server and servers of our client.
// What is not installed is skipped by its name.

import { afterEach, describe, expect, it } from 'vitest'
import * as pki from '../../lab/pki.ts'
import { freePort } from '../../lab/processes.ts'
import { signerOf } from '../../src/dtls/crypto/chance.ts'
import { createTrust, derChain } from '../../src/dtls/crypto/x509.ts'
import { UdpClient, UdpEchoServer } from '../support/dtls-udp.ts'
import {
  files,
  haveErlang,
  haveGnutls,
  haveOpenssl,
  mbedtlsClient,
  wolfsslClient,
} from './peers/installed.ts'
import { Program, put } from './peers/program.ts'
import { findKey, IDENTITY, KEY } from './world.ts'

const hexKey = Buffer.from(KEY).toString('hex')
const wrongKey = 'ff'.repeat(16)
const credentials = ({ cert, key }: pki.TestCertificate) => ({ chain: derChain(cert), sign: signerOf(key) })
const serverOptions = {
  findKey,
  certificate: credentials(pki.server),
  clientTrust: createTrust({ authorities: pki.ca.cert, purpose: 'client' }),
  groups: [23] as const,
}
const clientOptions = {
  psk: { identity: IDENTITY, key: KEY },
  certificate: credentials(pki.client),
  serverTrust: createTrust({ authorities: pki.ca.cert, purpose: 'server' }),
}

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function server(options = {}): Promise<UdpEchoServer> {
  const opened = await UdpEchoServer.open({ ...serverOptions, ...options })
  closing.push(() => opened.end())
  return opened
}

function program(command: string, ...args: string[]): Program {
  const started = new Program(command, ...args)
  closing.push(() => started.stop())
  return started
}

/** A client that opened a session, said something, got it back and said goodbye. */
async function expectHonest(peer: UdpEchoServer, suite: string, kind: 'psk' | 'certificate'): Promise<void> {
  const { info } = await peer.next('open')
  expect(info).toMatchObject({ suite, kind, identity: IDENTITY })
  expect((await peer.next('closed')).why).toBe('close_notify')
  expect(peer.of('fault')).toEqual([])
}

/** A client with a wrong key or name: no session, and the reason is found out. */
async function expectRefused(peer: UdpEchoServer, cause: string): Promise<void> {
  const { type, ...failed } = await peer.next('failed')
  expect([type, failed.cause, peer.of('open')]).toEqual(['failed', cause, []])
}

const strangers = [
  { who: 'with a wrong key', identity: IDENTITY, key: wrongKey, cause: 'wrong-key' },
  { who: 'whom nobody knows', identity: 'stranger', key: hexKey, cause: 'unknown-identity' },
]

describe.skipIf(!haveOpenssl)('OpenSSL', () => {
  const suites = [
    ['TLS_PSK_WITH_AES_128_CCM_8', 'PSK-AES128-CCM8', 'psk'],
    ['TLS_PSK_WITH_AES_128_CCM', 'PSK-AES128-CCM', 'psk'],
    ['TLS_PSK_WITH_AES_128_GCM_SHA256', 'PSK-AES128-GCM-SHA256', 'psk'],
    ['TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8', 'ECDHE-ECDSA-AES128-CCM8', 'certificate'],
    ['TLS_ECDHE_ECDSA_WITH_AES_128_CCM', 'ECDHE-ECDSA-AES128-CCM', 'certificate'],
    ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'certificate'],
  ] as const
  const withCertificate = ['-cert', files.clientCert, '-key', files.clientKey, '-CAfile', files.ca]
  const client = (port: number, cipher: string, ...args: string[]) =>
    program(
      'openssl',
      's_client',
      '-dtls1_2',
      '-connect',
      `127.0.0.1:${port}`,
      '-cipher',
      `${cipher}:@SECLEVEL=0`,
      ...args,
    )

  for (const [suite, cipher, kind] of suites) {
    it(`as client: ${suite}`, async () => {
      const ours = await server({ groups: undefined })
      const proof = kind === 'psk' ? ['-psk', hexKey, '-psk_identity', IDENTITY] : withCertificate
      const theirs = client(ours.port, cipher, ...proof, '-mtu', '300')
      await ours.next('open')
      theirs.write('hello of openssl\n')
      await theirs.says('hello of openssl')
      theirs.finish()
      await expectHonest(ours, suite, kind)
    })

    it(`as server: ${suite}`, async () => {
      const port = await freePort()
      const proof =
        kind === 'psk'
          ? ['-nocert', '-psk', hexKey, '-psk_identity', IDENTITY]
          : ['-cert', files.serverCert, '-key', files.serverKey, '-CAfile', files.ca, '-Verify', '3']
      const theirs = program(
        'openssl',
        's_server',
        '-dtls1_2',
        '-accept',
        `127.0.0.1:${port}`,
        '-cipher',
        `${cipher}:@SECLEVEL=0`,
        '-mtu',
        '400',
        '-listen',
        ...proof,
      )
      await theirs.says('ACCEPT')
      const ours = await UdpClient.connect(port, { ...clientOptions, retransmit: 300, mtu: 400 })
      closing.push(() => ours.end())
      const { info } = await ours.next('open')
      expect(info).toMatchObject({ suite, kind })
      ours.say('hello of ours\n')
      await theirs.says('hello of ours')
      theirs.write('hello of openssl\n')
      expect(Buffer.from((await ours.next('data')).bytes).toString()).toBe('hello of openssl\n')
      ours.do((turn) => ours.core.close('done', turn))
      expect(ours.of('fault')).toEqual([])
    })
  }

  for (const { who, identity, key, cause } of strangers) {
    it(`as client ${who} opens nothing`, async () => {
      const ours = await server({ handshake: 1500 })
      client(ours.port, 'PSK-AES128-CCM8', '-psk', key, '-psk_identity', identity)
      await expectRefused(ours, cause)
    })
  }

  it('as client resumes its session, by ticket and by session id', async () => {
    for (const tickets of [true, false]) {
      const ours = await server({ tickets })
      const file = put(`session-${tickets}`, '')
      const proof = ['-psk', hexKey, '-psk_identity', IDENTITY]
      const first = client(ours.port, 'PSK-AES128-CCM8', ...proof, '-sess_out', file)
      await ours.next('open')
      first.finish()
      await first.ended
      const again = client(ours.port, 'PSK-AES128-CCM8', ...proof, '-sess_in', file)
      await again.says('Reused')
      again.write('hello again\n')
      await again.says('hello again')
      again.finish()
      await again.ended
      expect(ours.of('open').map(({ info }) => info.resumed)).toEqual([false, true])
    }
  })
})

describe.skipIf(!haveGnutls)('GnuTLS', () => {
  const suites = [
    ['TLS_PSK_WITH_AES_128_CCM_8', '+PSK', '+AES-128-CCM-8', 'psk'],
    ['TLS_PSK_WITH_AES_128_CCM', '+PSK', '+AES-128-CCM', 'psk'],
    ['TLS_PSK_WITH_AES_128_GCM_SHA256', '+PSK', '+AES-128-GCM', 'psk'],
    ['TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256', '+ECDHE-PSK', '+AES-128-GCM', 'psk'],
    ['TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8', '+ECDHE-ECDSA', '+AES-128-CCM-8', 'certificate'],
    ['TLS_ECDHE_ECDSA_WITH_AES_128_CCM', '+ECDHE-ECDSA', '+AES-128-CCM', 'certificate'],
    ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', '+ECDHE-ECDSA', '+AES-128-GCM', 'certificate'],
  ] as const
  const priority = (exchange: string, cipher: string) =>
    `NORMAL:-VERS-ALL:+VERS-DTLS1.2:-KX-ALL:${exchange}:-CIPHER-ALL:${cipher}`

  for (const [suite, exchange, cipher, kind] of suites.filter(([name]) => !name.includes('ECDHE_PSK'))) {
    it(`as client: ${suite}`, async () => {
      const ours = await server()
      const proof =
        kind === 'psk'
          ? ['--pskusername', IDENTITY, '--pskkey', hexKey]
          : ['--x509cafile', files.ca, '--x509certfile', files.clientCert, '--x509keyfile', files.clientKey]
      const where = ['--udp', '-p', `${ours.port}`, '127.0.0.1', '--priority', priority(exchange, cipher)]
      const theirs = program('gnutls-cli', ...where, ...proof, '--no-ca-verification', '--mtu', '400')
      await ours.next('open')
      theirs.write('hello of gnutls\n')
      await theirs.says('hello of gnutls')
      theirs.finish()
      await expectHonest(ours, suite, kind)
    })

    it(`as server: ${suite}`, async () => {
      const port = await freePort()
      const proof =
        kind === 'psk'
          ? ['--pskpasswd', put('psk.txt', `${IDENTITY}:${hexKey}\n`)]
          : [
              '--x509cafile',
              files.ca,
              '--x509certfile',
              files.serverCert,
              '--x509keyfile',
              files.serverKey,
              '--require-client-cert',
            ]
      const theirs = program(
        'gnutls-serv',
        '--udp',
        '-p',
        `${port}`,
        '--echo',
        '--mtu',
        '400',
        '--priority',
        priority(exchange, cipher),
        ...proof,
      )
      await theirs.says('listening')
      const ours = await UdpClient.connect(port, { ...clientOptions, retransmit: 300 })
      closing.push(() => ours.end())
      expect((await ours.next('open')).info).toMatchObject({ suite, kind })
      ours.say('hello of ours\n')
      expect(Buffer.from((await ours.next('data')).bytes).toString()).toBe('hello of ours\n')
      ours.do((turn) => ours.core.close('done', turn))
    })
  }

  for (const { who, identity, key, cause } of strangers) {
    it(`as client ${who} opens nothing`, async () => {
      const ours = await server({ handshake: 1500 })
      program(
        'gnutls-cli',
        '--udp',
        '-p',
        `${ours.port}`,
        '127.0.0.1',
        '--priority',
        priority('+PSK', '+AES-128-CCM-8'),
        '--pskusername',
        identity,
        '--pskkey',
        key,
      )
      await expectRefused(ours, cause)
    })
  }
})

const compiled = [
  {
    name: 'Mbed TLS',
    command: mbedtlsClient,
    hello: 'hello of mbedtls',
    suites: [
      ['TLS_PSK_WITH_AES_128_CCM_8', 'TLS-PSK-WITH-AES-128-CCM-8'],
      ['TLS_PSK_WITH_AES_128_CCM', 'TLS-PSK-WITH-AES-128-CCM'],
      ['TLS_PSK_WITH_AES_128_GCM_SHA256', 'TLS-PSK-WITH-AES-128-GCM-SHA256'],
      ['TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8', 'TLS-ECDHE-ECDSA-WITH-AES-128-CCM-8'],
      ['TLS_ECDHE_ECDSA_WITH_AES_128_CCM', 'TLS-ECDHE-ECDSA-WITH-AES-128-CCM'],
      ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256'],
    ],
  },
  {
    name: 'wolfSSL',
    command: wolfsslClient,
    hello: 'hello of wolfssl',
    suites: [
      ['TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256', 'ECDHE-PSK-AES128-GCM-SHA256'],
      ['TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8', 'ECDHE-ECDSA-AES128-CCM-8'],
      ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
    ],
  },
] as const

for (const { name, command = '', hello, suites } of compiled) {
  describe.skipIf(command === '')(name, () => {
    for (const [suite, cipher] of suites) {
      const isKey = suite.includes('PSK')
      it(`as client: ${suite}`, async () => {
        const ours = await server()
        const proof = isKey
          ? ['psk', IDENTITY, hexKey]
          : ['cert', files.ca, files.clientCert, files.clientKey]
        const theirs = program(command, `${ours.port}`, cipher, ...proof)
        await theirs.says(hello)
        expect(await theirs.ended).toBe(0)
        await expectHonest(ours, suite, isKey ? 'psk' : 'certificate')
      })
    }

    const [keySuite] = suites
    for (const { who, identity, key, cause } of strangers) {
      it(`as client ${who} opens nothing`, async () => {
        const ours = await server({ handshake: 1500 })
        program(command, `${ours.port}`, keySuite[1], 'psk', identity, key)
        await expectRefused(ours, cause)
      })
    }
  })
}

describe.skipIf(!haveErlang)('Erlang', () => {
  it('as client, the one without an extended master secret: TLS_PSK_WITH_AES_128_GCM_SHA256 [DTLS-EMS-1]', async () => {
    const ours = await server()
    const suite = '#{key_exchange => psk, cipher => aes_128_gcm, mac => aead, prf => sha256}'
    const options = [
      "{protocol, dtls}, {versions, ['dtlsv1.2']}, {verify, verify_none}, {active, false}",
      `{ciphers, [${suite}]}, {psk_identity, "${IDENTITY}"}`,
      `{user_lookup_fun, {fun(psk, _, _) -> {ok, <<${[...KEY].join(',')}>>} end, undefined}}`,
    ]
    const steps = [
      'ssl:start()',
      `{ok, S} = ssl:connect({127,0,0,1}, ${ours.port}, [${options.join(', ')}], 10000)`,
      'ok = ssl:send(S, "hello of erlang")',
      '{ok, Echo} = ssl:recv(S, 0, 10000)',
      'io:format("~s~n", [Echo]), ssl:close(S), halt(0).',
    ]
    const theirs = program('erl', '-noshell', '-eval', steps.join(', '))
    await theirs.says('hello of erlang')
    await expectHonest(ours, 'TLS_PSK_WITH_AES_128_GCM_SHA256', 'psk')
  })
})
