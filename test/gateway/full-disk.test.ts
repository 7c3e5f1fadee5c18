// The disk of the store is full: a small file system of its own, which needs the right to mount one.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { startAedes } from '../support/broker.ts'
import { Office, TestGateway, until } from '../support/gateway.ts'

const TINY = 2 * 1024 * 1024

it('a full disk silences no sensor: what needs no write passes, what does gets 0x01, and all is well when there is space', async (context) => {
  const base = mkdtempSync(join(tmpdir(), 'mqttsn-full-'))
  const disk = join(base, 'disk')
  mkdirSync(disk)
  onTestFinished(() => rmSync(base, { recursive: true, force: true }))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${TINY}`, 'tmpfs', disk])
  if (status !== 0) context.skip('needs the right to mount a small file system')
  onTestFinished(() => void spawnSync('umount', [disk]))
  const broker = await startAedes()
  onTestFinished(() => broker.close())
  const office = await Office.at(broker, '#')
  onTestFinished(() => office.close())
  const test = await TestGateway.start(broker, { store: { type: 'lmdb', path: join(disk, 'state') } })
  onTestFinished(() => test.stop())
  const peer = await test.peer()
  peer.send({
    type: 'connect',
    will: false,
    cleanSession: false,
    protocolId: 1,
    duration: 600,
    clientId: 'dev1',
  })
  await peer.next('connack')
  peer.send({ type: 'register', topicId: 0, msgId: 1, topicName: 't' })
  const { topicId } = await peer.next('regack')
  writeFileSync(join(disk, 'ballast'), Buffer.alloc(TINY / 2))
  const register = (msgId: number) =>
    peer.send({ type: 'register', topicId: 0, msgId, topicName: `${msgId}/${'x'.repeat(1200)}` })
  const isFull = () => test.gateway.status().store.error !== undefined
  let msgId = 1
  while (!isFull() && msgId < 250) {
    register(++msgId)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  try {
    writeFileSync(join(disk, 'rest'), Buffer.alloc(TINY))
  } catch {
    // now it is full to the last octet
  }
  await until(() => {
    if (!isFull()) register(++msgId)
    return isFull()
  })
  const heard = peer.heard.length
  const refusals = () =>
    peer.heard.slice(heard).filter(({ packet }) => packet.type === 'regack' && packet.returnCode === 1)
  await until(() => {
    if (peer.heard.length === heard) register(249)
    return refusals().length > 0
  })
  const pings = () => peer.heard.filter(({ packet }) => packet.type === 'pingresp').length
  peer.send({ type: 'pingreq', clientId: null })
  await until(() => pings() === 1)
  const publish = { type: 'publish', dup: false, retain: false, topicIdType: 'normal', topicId, data: Buffer.from('full') } as const // biome-ignore format: short
  peer.send({ ...publish, qos: 1, msgId: 1000 })
  expect(await peer.next('puback')).toMatchObject({ msgId: 1000, returnCode: 0 })
  peer.send({ ...publish, qos: 2, msgId: 1001 })
  expect(await peer.next('puback')).toMatchObject({ msgId: 1001, returnCode: 1 })
  const other = await test.peer()
  other.send({
    type: 'connect',
    will: false,
    cleanSession: true,
    protocolId: 1,
    duration: 60,
    clientId: 'dev2',
  })
  expect(await other.next('connack')).toMatchObject({ returnCode: 1 })
  for (const name of ['ballast', 'rest']) rmSync(join(disk, name), { force: true })
  await until(() => !isFull())
  other.send({
    type: 'connect',
    will: false,
    cleanSession: true,
    protocolId: 1,
    duration: 60,
    clientId: 'dev2',
  })
  expect(await other.next('connack')).toMatchObject({ returnCode: 0 })
}, 30_000)
