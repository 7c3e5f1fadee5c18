// The package for Debian: installed, started by systemd, upgraded and purged in a Debian of its own.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BootedDebian } from '../support/booted-debian.ts'
import { haveCommands, isRoot, makeDebian, say } from '../support/debian.ts'
import { until } from '../support/gateway.ts'
import { haveRegistry } from '../support/package.ts'

const UNIT = 'mqtt-sn-gateway.service'
const FORWARDER = 'mqtt-sn-forwarder.service'
const CONFIG = 'etc/mqttsn/gateway.config.json'
const able =
  isRoot && haveCommands('dpkg-deb', 'debootstrap', 'systemd-nspawn') && haveRegistry() && makeDebian()

describe.skipIf(!able)('the package for Debian', { timeout: 240_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-deb-'))
  let debian: BootedDebian
  let mainPid = ''
  const inRoot = (path: string) => join(debian.root, path)
  const show = (property: string) =>
    debian.run('systemctl', 'show', UNIT, '--property', property, '--value').stdout.trim()
  const ready = () => until(() => debian.run('mqttsn', 'health').status === 0, 30_000)

  /** Where the package lies for the Debian; `version`: with this one in it. */
  function bring(version: string): string {
    const [first = ''] = readdirSync(folder).filter((name) => name.endsWith('.deb'))
    const content = join(folder, version)
    say('dpkg-deb', '-R', join(folder, first), content)
    const control = readFileSync(join(content, 'DEBIAN/control'), 'utf8')
    writeFileSync(join(content, 'DEBIAN/control'), control.replace(/^Version: .*/m, `Version: ${version}`))
    mkdirSync(inRoot('opt'), { recursive: true })
    say('dpkg-deb', '-Znone', '--build', content, inRoot(`opt/${version}.deb`))
    rmSync(content, { recursive: true })
    return `/opt/${version}.deb`
  }

  beforeAll(() => {
    debian = new BootedDebian()
    const arch = say('dpkg', '--print-architecture').trim()
    say('bash', 'lab/install/deb.sh', arch, folder)
  }, 400_000)
  afterAll(async () => {
    await debian?.end()
    rmSync(folder, { recursive: true })
  }, 60_000)

  it('is installed with a user, a configuration and an enabled service of its own', () => {
    debian.forbidServices()
    const { status, stderr } = debian.run('dpkg', '--force-unsafe-io', '-i', bring('0.1.0-1'))
    expect(status, stderr).toBe(0)
    expect(debian.run('mqttsn', 'check', '-c', `/${CONFIG}`).status).toBe(0)
    const group = debian.run('stat', '-c', '%U:%G %a', `/${CONFIG}`).stdout.trim()
    expect(group).toBe('root:mqttsn 640')
    expect(readdirSync(inRoot('etc/systemd/system/multi-user.target.wants'))).toContain(UNIT)
  })

  it('is started by systemd, without root and without rights', async () => {
    const config = readFileSync(inRoot(CONFIG), 'utf8')
    writeFileSync(inRoot(CONFIG), config.replace('mqtt://127.0.0.1:1883', 'embedded'))
    await debian.boot()
    await ready()
    expect(show('ActiveState')).toBe('active')
    mainPid = show('MainPID')
    const status = debian.run('cat', `/proc/${mainPid}/status`).stdout
    expect(status).toMatch(/^CapEff:\s+0+$/m)
    expect(status).toMatch(/^CapBnd:\s+0+$/m)
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m)
    expect(status).toMatch(/^Seccomp:\s+2$/m)
    expect(debian.run('stat', '-c', '%U', `/proc/${mainPid}`).stdout.trim()).toBe('mqttsn')
    expect(debian.run('stat', '-c', '%U %a', '/var/lib/mqttsn').stdout.trim()).toBe('mqttsn 700')
  })

  it('loads its configuration again at `systemctl reload`', async () => {
    const config = readFileSync(inRoot(CONFIG), 'utf8')
    writeFileSync(inRoot(CONFIG), config.replace('"listeners"', '"predefined": { "7": "a/b" }, "listeners"'))
    expect(debian.run('systemctl', 'reload', UNIT).status).toBe(0)
    const pub = ['mqttsn', 'pub', '--predefined', '7', '-m', 'x', '-q', '1', '-i', 'p']
    await until(() => debian.run(...pub).status === 0, 20_000)
    expect(show('MainPID')).toBe(mainPid)
  })

  it('brings a forwarder along, which systemd runs without rights for who enables it', async () => {
    expect(readdirSync(inRoot('etc/systemd/system/multi-user.target.wants'))).not.toContain(FORWARDER)
    const config = readFileSync(inRoot(CONFIG), 'utf8')
    writeFileSync(inRoot(CONFIG), config.replace('"allow"', '"forwarders": ["127.0.0.1"], "allow"'))
    expect(debian.run('systemctl', 'reload', UNIT).status).toBe(0)
    const document = { from: ['udp://127.0.0.1:1885'], to: 'udp://127.0.0.1:1884' }
    writeFileSync(inRoot('etc/mqttsn/forward.json'), JSON.stringify(document))
    expect(debian.run('systemctl', 'enable', '--now', FORWARDER).status).toBe(0)
    const pub = ['mqttsn', 'pub', '-p', '1885', '--predefined', '7', '-m', 'x', '-q', '1', '-i', 'far']
    await until(() => debian.run(...pub).status === 0, 30_000)
    const pid = debian.run('systemctl', 'show', FORWARDER, '--property', 'MainPID', '--value').stdout.trim()
    expect(debian.run('stat', '-c', '%U', `/proc/${pid}`).stdout.trim()).toBe('mqttsn')
    expect(debian.run('cat', `/proc/${pid}/status`).stdout).toMatch(/^CapEff:\s+0+$/m)
  })

  it('keeps configuration and sessions over an upgrade', async () => {
    const sub = ['mqttsn', 'sub', '-t', 'a/b', '-q', '1', '-i', 'keeper', '--no-clean', '--timeout', '1s']
    expect(debian.run(...sub).stderr).not.toContain('error')
    const before = readFileSync(inRoot(CONFIG), 'utf8')
    const { status, stderr } = debian.run('dpkg', '--force-unsafe-io', '-i', bring('0.1.0-2'))
    expect(status, stderr).toBe(0)
    await ready()
    expect(show('MainPID')).not.toBe(mainPid)
    expect(readFileSync(inRoot(CONFIG), 'utf8')).toBe(before)
    expect(debian.run('mqttsn', 'top', '--json').stdout).toContain('"keeper"')
  })

  it('stops when it is removed, and leaves nothing when it is purged', () => {
    expect(debian.run('dpkg', '-r', 'mqtt-sn-gateway').status).toBe(0)
    expect(show('ActiveState')).not.toBe('active')
    expect(existsSync(inRoot(CONFIG))).toBe(true)
    expect(readdirSync(inRoot('var/lib/mqttsn'))).not.toEqual([])
    const { status, stderr, stdout } = debian.run('dpkg', '-P', 'mqtt-sn-gateway')
    expect(status, stderr).toBe(0)
    expect(stdout + stderr).not.toMatch(/warning/)
    for (const path of ['etc/mqttsn', 'var/lib/mqttsn', 'usr/lib/mqtt-sn-gateway', 'usr/bin/mqttsn'])
      expect(existsSync(inRoot(path)), path).toBe(false)
    expect(debian.run('getent', 'passwd', 'mqttsn').stdout).toBe('')
    const wanted = readdirSync(inRoot('etc/systemd/system/multi-user.target.wants'))
    for (const unit of [UNIT, FORWARDER]) expect(wanted).not.toContain(unit)
    expect(debian.run('systemctl', 'is-enabled', UNIT).stdout.trim()).not.toBe('masked')
  })
})
