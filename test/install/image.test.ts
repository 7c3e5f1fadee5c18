// The container image: built and run with buildah and podman, without a network. Where they are missing, it is left out.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { debianFolder, haveCommands, isRoot, makeDebian, say } from '../support/debian.ts'
import { until } from '../support/gateway.ts'
import { haveRegistry } from '../support/package.ts'

const IMAGE = 'localhost/mqtt-sn-gateway-test'
const VOLUME = `mqttsn-test-${process.pid}`
const names = ['one', 'two'].map((name) => `${VOLUME}-${name}`)
const [one = '', two = ''] = names

// runc, as it also runs where the machine has control groups of both versions
const podman = (...args: string[]) =>
  spawnSync('podman', ['--runtime', 'runc', ...args], { encoding: 'utf8', timeout: 60_000 })

const flags = [
  ...['--network', 'none', '--pull', 'never', '--read-only', '--read-only-tmpfs=false', '--cap-drop', 'all'],
  ...['--security-opt', 'no-new-privileges', '--volume', `${VOLUME}:/var/lib/mqttsn`],
  ...['--env', 'MQTTSN_BROKER__URL=embedded', '--health-interval', 'disable'],
  // not above those of this machine, which not even root may raise everywhere
  ...['--ulimit', 'nofile=4096:4096', '--ulimit', 'nproc=1024:1024'],
]
const startContainer = (name: string) => podman('run', '--detach', '--name', name, ...flags, IMAGE)
const inside = (name: string, ...command: string[]) => podman('exec', name, ...command)
const ready = (name: string) => until(() => inside(name, 'mqttsn', 'health').status === 0, 20_000)

const able =
  isRoot && haveCommands('buildah', 'podman', 'runc', 'debootstrap') && haveRegistry() && makeDebian()

describe.skipIf(!able)('the container image', { timeout: 60_000 }, () => {
  beforeAll(() => {
    say('bash', 'lab/install/image.sh', debianFolder, IMAGE)
  }, 600_000)
  afterAll(() => {
    podman('rm', '--force', ...names)
    podman('volume', 'rm', VOLUME)
  }, 60_000)

  it('says what it is, and what it runs as', () => {
    const [image] = JSON.parse(say('podman', 'image', 'inspect', IMAGE))
    expect(image.Config).toMatchObject({
      User: '1000:1000',
      Entrypoint: ['node', '/opt/mqtt-sn-gateway/dist/src/cli.js'],
      Volumes: { '/var/lib/mqttsn': {} },
      ExposedPorts: { '1884/udp': {} },
      StopSignal: 'SIGTERM',
      Labels: {
        'org.opencontainers.image.version': JSON.parse(readFileSync('package.json', 'utf8')).version,
        'org.opencontainers.image.licenses': 'Apache-2.0',
      },
    })
    expect(image.Architecture).toBe(process.arch === 'x64' ? 'amd64' : process.arch)
  })

  it('runs without root on a read-only file system, and is healthy', async () => {
    expect(startContainer(one).stderr).not.toContain('Error')
    await ready(one)
    expect(inside(one, 'id', '-u').stdout.trim()).toBe('1000')
    expect(inside(one, 'touch', '/tmp/x').stderr).toContain('Read-only file system')
    expect(podman('healthcheck', 'run', one)).toMatchObject({ status: 0 })
    // the process that gets the signals is the gateway itself
    expect(inside(one, 'cat', '/proc/1/cmdline').stdout).toMatch(
      /^node\0\/opt\/mqtt-sn-gateway\/dist\/src\/cli\.js\0/,
    )
  })

  it('lets no second container use its volume: that one says so and ends', () => {
    const second = podman('run', '--name', two, ...flags, IMAGE)
    expect(second.status).toBe(1)
    expect(second.stderr).toContain('store /var/lib/mqttsn is in use by another gateway')
    expect(inside(one, 'mqttsn', 'health').status).toBe(0)
  })

  it('ends within 5 s at SIGTERM, and keeps sessions over stop and start', async () => {
    const sub = ['mqttsn', 'sub', '-t', 'a/b', '-q', '1', '-i', 'keeper', '--no-clean']
    const first = inside(one, ...sub, '--timeout', '1s')
    expect(first.stderr).not.toContain('error')
    const begin = Date.now()
    expect(podman('stop', '--time', '30', one).status).toBe(0)
    expect(Date.now() - begin).toBeLessThan(5000)
    const [state] = JSON.parse(podman('container', 'inspect', one).stdout)
    expect(state.State.ExitCode).toBe(0)
    expect(podman('start', one).status).toBe(0)
    await ready(one)
    const seen = JSON.parse(inside(one, 'mqttsn', 'top', '--json').stdout)
    expect(JSON.stringify(seen)).toContain('"keeper"')
  })

  it('can be built for arm64, with the library of the store for it', () => {
    const tag = `${IMAGE}:arm64`
    say('bash', 'lab/install/image.sh', debianFolder, tag, 'linux/arm64')
    const container = say('buildah', 'from', '--pull-never', '--platform', 'linux/arm64', tag).trim()
    try {
      const root = say('buildah', 'mount', container).trim()
      const libraries = say('ls', `${root}/opt/mqtt-sn-gateway/node_modules/@lmdb`).trim()
      expect(libraries).toBe('lmdb-linux-arm64')
    } finally {
      say('buildah', 'rm', container)
    }
  }, 600_000)
})
