// pion over loopback, the peer that speaks connection ids: as a client whose port changes within its session, and as a server.

import { afterEach, describe, expect, it } from 'vitest'
import { SUITES } from '../../src/dtls/suites.ts'
import { freeUdpPort, UdpClient, UdpEchoServer } from '../support/dtls-udp.ts'
import { pion } from './peers/pion.ts'
import { Program } from './peers/program.ts'
import { findKey, IDENTITY, KEY } from './world.ts'

const suites = SUITES.filter(({ exchange }) => exchange === 'psk')
const hexKey = Buffer.from(KEY).toString('hex')

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

describe.skipIf(pion === undefined)('pion', () => {
  const start = (mode: string, port: number, code: number) => {
    const program = new Program(
      pion ?? '',
      mode,
      `${port}`,
      IDENTITY,
      hexKey,
      code.toString(16).padStart(4, '0'),
    )
    closing.push(() => program.stop())
    return program
  }

  for (const { name, code } of suites) {
    it(`as client with connection ids both ways, from two ports in one session: ${name} [DTLS-CID-2, DTLS-CID-5]`, async () => {
      const ours = await UdpEchoServer.open({ findKey })
      closing.push(() => ours.end())
      const theirs = start('client', ours.port, code)
      await theirs.says('hello from another port')
      expect(await theirs.ended).toBe(0)
      const { info } = await ours.next('open')
      expect(info).toMatchObject({
        suite: name,
        identity: IDENTITY,
        connectionId: expect.stringMatching(/^.{12}$/),
      })
      await ours.next('closed')
      expect(ours.of('moved').length).toBeGreaterThan(0)
      expect([ours.of('open').length, ours.of('fault')]).toEqual([1, []])
    })

    it(`as server with connection ids both ways: ${name} [DTLS-CID-2]`, async () => {
      const port = await freeUdpPort()
      const theirs = start('server', port, code)
      await theirs.says('listening')
      const psk = { identity: IDENTITY, key: KEY }
      const ours = await UdpClient.connect(port, {
        psk,
        suites: [code],
        connectionIdLength: 4,
        retransmit: 300,
      })
      closing.push(() => ours.end())
      expect((await ours.next('open')).info).toMatchObject({
        suite: name,
        connectionId: expect.stringMatching(/^.{8}$/),
      })
      ours.say('hello of ours')
      expect(Buffer.from((await ours.next('data')).bytes).toString()).toBe('hello of ours')
      ours.do((turn) => ours.core.close('done', turn))
    })
  }
})
