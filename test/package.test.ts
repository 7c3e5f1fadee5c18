// What is published: small, without tools and tests, and enough to run from an empty folder. It packs dist/ as it was built last.

import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runExample, writeExamples } from './support/library-examples.ts'
import { pack } from './support/package.ts'

const run = promisify(execFile)

describe('the package', () => {
  it('is small, and holds no tools, no tests and no maps', async () => {
    const { entryCount, unpackedSize, files } = await pack('--dry-run')
    const paths = files.map(({ path }) => path)
    expect(
      paths.filter((path) => /(^|\/)(lab|test|node_modules)\/|\.map$|\.tsbuildinfo$/.test(path)),
    ).toEqual([])
    for (const path of ['dist/src/cli.js', 'dist/src/library.js', 'docs/library.md', 'npm-shrinkwrap.json'])
      expect(paths).toContain(path)
    expect(entryCount).toBeLessThan(400)
    expect(unpackedSize).toBeLessThan(3_000_000)
  })

  it('holds nothing that has lost its source', async () => {
    const { files } = await pack('--dry-run')
    const shipped = files.map(({ path }) => path)
    const { bin, exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      bin: Record<string, string>
      exports: Record<string, { default: string }>
    }
    const entries = [...Object.values(bin), ...Object.values(exports).map((face) => face.default)]
    const reachable = new Set([...entries.map((path) => join(path)), 'dist/src/workers/worker.js'])
    for (const file of reachable) {
      for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(
        /(?:\bfrom |^import |\bimport\()"(\.[^"]+)"/gm,
      ))
        reachable.add(join(dirname(file), from))
    }
    expect(reachable.size).toBeGreaterThan(20)
    const lost = shipped.filter((path) => {
      const [, source, ending] = /^dist\/(?:types\/)?(.+?)(\.d\.ts|\.js)$/.exec(path) ?? []
      if (source === undefined || reachable.has(path)) return false
      return ending !== '.d.ts' || !existsSync(`${source}.ts`)
    })
    expect(lost).toEqual([])
    expect([...reachable].filter((path) => !shipped.includes(path))).toEqual([])
  })

  it('tells in a stack trace which function of which source file failed', async () => {
    const program = `
      const { Sensor } = await import('mqtt-sn-gateway/sensor')
      try { await new Sensor({ clientId: 'x', gateway: 'nonsense' }).connect() } catch (error) { console.log(error.stack) }`
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program])
    const [, file = '', line = 0] = /\n +at .*?(dist\/src\/[\w./-]+\.js):(\d+)/.exec(stdout) ?? []
    const above = readFileSync(file, 'utf8').split('\n').slice(0, Number(line)).reverse()
    const source = above.find((text) => text.startsWith('// src/'))?.slice(3) ?? ''
    expect(existsSync(source), source).toBe(true)
    expect(above[0]?.length).toBeLessThan(200)
  })

  it('holds of the console page what the build makes of it, compressed, and none of its sources', async () => {
    const { files } = await pack('--dry-run')
    const [folder, made] = [
      'dist/src/console/page/',
      ['app.js', 'icon.svg', 'index.html', 'styles/style.css', 'theme.js'],
    ]
    expect(
      files
        .map(({ path }) => path)
        .filter((path) => path.startsWith(folder))
        .sort(),
    ).toEqual(made.flatMap((name) => [`${folder}${name}.br`, `${folder}${name}.gz`]))
  })
})

describe('the package in an empty folder', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-package-'))
  const modules = join(folder, 'node_modules')
  const installed = join(modules, 'mqtt-sn-gateway')

  // As npm installs it, but without the network: of all that is in this project, it sees the dependencies that it names.
  beforeAll(async () => {
    mkdirSync(join(modules, '.bin'), { recursive: true })
    mkdirSync(installed)
    const { filename } = await pack('--pack-destination', folder)
    await run('tar', ['-xzf', join(folder, filename), '-C', installed, '--strip-components=1'])
    const { dependencies, bin } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>
      bin: { mqttsn: string }
    }
    for (const name of Object.keys(dependencies)) {
      mkdirSync(dirname(join(modules, name)), { recursive: true })
      symlinkSync(resolve('node_modules', name), join(modules, name), 'junction')
    }
    chmodSync(join(installed, bin.mqttsn), 0o755)
    symlinkSync(join('..', 'mqtt-sn-gateway', bin.mqttsn), join(modules, '.bin', 'mqttsn'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it.concurrent('runs the demo', async () => {
    const demo = ['--no', '--', 'mqttsn', 'demo', '--duration', '5s', '--port', '0']
    const { stdout } = await run('npx', demo, { cwd: folder })
    expect(stdout).toMatch(/^gateway on udp:\/\/127\.0\.0\.1:\d+, embedded broker on mqtt:/)
    expect(stdout).toMatch(/thermometer-1 +published +→? ?thermometer\/thermometer-1\/celsius/)
    expect(stdout).toMatch(/MQTT-SN messages from \d+ sensors, \d+ published to the broker/)
  })

  it.concurrent('runs every command, at least to its help', async () => {
    const { stdout } = await run('npx', ['--no', '--', 'mqttsn', '--help'], { cwd: folder })
    const commands = [...stdout.matchAll(/^ {2}(\w+) .*\[options\]/gm)].map(([, name = '']) => name)
    expect(commands).toHaveLength(19)
    for (const command of commands) {
      const help = await run(process.execPath, [join(installed, 'dist/src/cli.js'), command, '--help'], {
        cwd: folder,
      })
      expect(help.stdout).toContain(`mqttsn ${command}`)
    }
  })

  it.concurrent('runs simulated sensors', async () => {
    const { stdout } = await run(process.execPath, [
      join(installed, 'dist/src/cli.js'),
      'sensor',
      'valve',
      '--help',
    ])
    expect(stdout).toContain('--client-id')
  })

  it.concurrent('runs the programs of docs/library.md', async () => {
    for (const example of writeExamples(folder))
      expect(await runExample(example, folder), example.title).toBe(example.output)
  })
})
