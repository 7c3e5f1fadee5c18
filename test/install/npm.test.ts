// The package as npm installs it, from a file and from a registry, on each version of Node.js that is promised.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchNode, haveNodePackages, haveRegistry, npmCli, type Packed, pack } from '../support/package.ts'

const run = promisify(execFile)
const root = mkdtempSync(join(tmpdir(), 'mqttsn-npm-'))
const reached = haveRegistry()
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, unknown>
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, { version?: string; dev?: boolean; devOptional?: boolean; optional?: boolean }>
}
let packed: Packed

const emptyFolder = (name: string): string => {
  const folder = join(root, name)
  mkdirSync(folder)
  return folder
}

/** What npm prints, with a Node.js of choice in charge. */
async function npm(folder: string, node: string, ...args: string[]): Promise<string> {
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier']
  const PATH = `${dirname(node)}:${process.env['PATH']}`
  const options = { cwd: folder, env: { ...process.env, PATH } }
  const { stdout, stderr } = await run(node, [npmCli(), ...args, ...quiet], options)
  return stdout + stderr
}

/** Starts the gateway from the folder's bin, stops it once it runs, and gives all that it said. */
async function runGateway(folder: string, node: string): Promise<string[]> {
  const bin = join(folder, 'node_modules/.bin/mqttsn')
  const flags = ['--broker', 'embedded', '--listen', 'udp://127.0.0.1:0', '--no-console']
  const gateway = spawn(node, [bin, 'gateway', ...flags], { cwd: folder, stdio: 'pipe' })
  const lines: string[] = []
  for (const stream of [gateway.stdout, gateway.stderr])
    createInterface(stream).on('line', (line) => {
      lines.push(line)
      if (line.includes('connected to the broker')) gateway.kill('SIGTERM')
    })
  const [code] = await once(gateway, 'exit')
  expect(code, lines.join('\n')).toBe(0)
  return lines
}

/** Every line is of level info, and is JSON: a warning of Node.js is neither. */
function expectNoWarning(lines: readonly string[]): void {
  expect(lines.length).toBeGreaterThan(3)
  for (const line of lines) expect(line).toMatch(/^\{"level":"info",/)
}

beforeAll(async () => {
  packed = await pack('--pack-destination', root)
})
// thousands of small files
afterAll(() => rmSync(root, { recursive: true }), 120_000)

describe.skipIf(!reached)('the packed file, installed in an empty folder', { timeout: 120_000 }, () => {
  // scripts are not needed: everything that is compiled comes ready made
  const install = ['install', '--ignore-scripts', '--engine-strict']

  it('works without a warning on the Node.js that is here', async () => {
    const folder = emptyFolder('here')
    const said = await npm(folder, process.execPath, ...install, join(root, packed.filename))
    expect(said).not.toMatch(/warn|deprecated|EBADENGINE/i)
    expectNoWarning(await runGateway(folder, process.execPath))
  })

  // the oldest that is promised, and those that are maintained
  it.skipIf(!haveNodePackages).each(['20.19.0', '22', '24'])(
    'works without a warning on Node.js %s',
    async (version) => {
      const node = await fetchNode(version, emptyFolder(`node-${version}`))
      const { stdout } = await run(node, ['--version'])
      expect(stdout).toMatch(new RegExp(`^v${version}`))
      const folder = emptyFolder(`on-${version}`)
      const said = await npm(folder, node, ...install, join(root, packed.filename))
      expect(said).not.toMatch(/warn|deprecated|EBADENGINE/i)
      expectNoWarning(await runGateway(folder, node))
    },
  )
})

describe.skipIf(!reached)('the package from a registry', { timeout: 120_000 }, () => {
  /** A registry of this one package; all others come from the real one. */
  async function serveRegistry(): Promise<{ url: string; [Symbol.asyncDispose](): Promise<void> }> {
    const { stdout } = await run('npm', ['config', 'get', 'registry'])
    const server = createServer(({ url: path = '' }, response) => {
      const { port } = server.address() as AddressInfo
      const tarball = `http://127.0.0.1:${port}/${packed.filename}`
      const dist = { tarball, integrity: packed.integrity }
      const version = String(manifest['version'])
      if (path === '/mqtt-sn-gateway') {
        const versions = { [version]: { ...manifest, _hasShrinkwrap: true, dist } }
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ name: manifest['name'], 'dist-tags': { latest: version }, versions }))
      } else if (path === `/${packed.filename}`) {
        createReadStream(join(root, packed.filename)).pipe(response)
      } else {
        response.writeHead(302, { location: stdout.trim().replace(/\/$/, '') + path }).end()
      }
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const close = async () => {
      server.closeAllConnections()
      server.close()
    }
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      [Symbol.asyncDispose]: close,
    }
  }

  it('is installed in the versions that were tested, and without the tools of developers', async () => {
    await using registry = await serveRegistry()
    const folder = emptyFolder('registry')
    const from = ['--registry', registry.url, '--ignore-scripts']
    const said = await npm(folder, process.execPath, 'install', ...from, 'mqtt-sn-gateway')
    expect(said).not.toMatch(/warn|deprecated/i)
    const installed = JSON.parse(
      readFileSync(join(folder, 'node_modules/.package-lock.json'), 'utf8'),
    ) as typeof lock
    const below = Object.entries(installed.packages)
      .filter(([path]) => path !== 'node_modules/mqtt-sn-gateway')
      .map(([path, { version }]) => [path.replace('node_modules/mqtt-sn-gateway/', ''), version])
    const tested = Object.entries(lock.packages)
      .filter(([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true)
      .map(([path, { version }]) => [path, version])
    expect(Object.fromEntries(below)).toEqual(Object.fromEntries(tested))
    expectNoWarning(await runGateway(folder, process.execPath))
  })
})

describe('the package in a clone', () => {
  it('is the same as elsewhere: nothing but the versions in its lock decides what is installed', () => {
    expect(manifest['overrides']).toBeUndefined()
    expect(manifest['resolutions']).toBeUndefined()
  })
})
