// A Debian of its own, as a container of systemd: a copy of the prepared one, with its own network, in which services run.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { debianFolder, say } from './debian.ts'
import { until } from './gateway.ts'

export interface Result {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const inDebian = {
  encoding: 'utf8',
  timeout: 60_000,
  env: { PATH, DEBIAN_FRONTEND: 'noninteractive' },
} as const

// systemd wants control groups of version 2 alone, and a network that is nobody else's
const BOOT = `
ip link set lo up
umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec systemd-nspawn --quiet --register=no --keep-unit --directory "$1" --boot --console=pipe`

export class BootedDebian {
  readonly #folder = mkdtempSync(join('/var/tmp', 'mqttsn-booted-'))
  readonly root = join(this.#folder, 'root')
  #nspawn: ChildProcess | undefined
  #init = 0

  constructor() {
    const [upper, work] = ['upper', 'work'].map((name) => join(this.#folder, name))
    for (const folder of [this.root, upper, work]) mkdirSync(folder ?? '')
    const layers = `lowerdir=${debianFolder},upperdir=${upper},workdir=${work}`
    say('mount', '-t', 'overlay', 'overlay', '-o', layers, this.root)
  }

  /** Runs a command in it: in the running system if it has been booted, else with nothing around it. */
  run(...command: string[]): Result {
    return this.#init === 0
      ? spawnSync('unshare', ['--net', 'chroot', this.root, ...command], inDebian)
      : spawnSync(
          'nsenter',
          ['-t', String(this.#init), '-m', '-u', '-i', '-n', '-p', '--', ...command],
          inDebian,
        )
  }

  /** Before it is booted nothing can be started; this is how packages learn of it. */
  forbidServices(): void {
    writeFileSync(join(this.root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  }

  async boot(): Promise<void> {
    rmSync(join(this.root, 'usr/sbin/policy-rc.d'), { force: true })
    const nspawn = spawn('unshare', ['--mount', '--net', 'bash', '-c', BOOT, 'boot', this.root], {
      stdio: ['ignore', 'ignore', 'ignore'],
    })
    this.#nspawn = nspawn
    // its first child makes things ready, and gives way to the system's first process
    await until(() => {
      const tasks = readFileSync(`/proc/${nspawn.pid}/task/${nspawn.pid}/children`, 'utf8')
      this.#init = Number(tasks.trim().split(' ').at(-1))
      return this.#init > 0 && /running|degraded/.test(this.run('systemctl', 'is-system-running').stdout)
    }, 90_000)
  }

  async end(): Promise<void> {
    if (this.#nspawn !== undefined) {
      const nspawn = this.#nspawn
      const ended = new Promise((done) => nspawn.once('exit', done))
      if (this.#init > 0) spawnSync('kill', ['-KILL', String(this.#init)])
      nspawn.kill('SIGKILL')
      if (nspawn.exitCode === null && nspawn.signalCode === null) await ended
    }
    spawnSync('umount', [this.root])
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
