// The README shows what is true: its commands exist, its configuration is accepted, its links lead somewhere.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../src/config/load.ts'

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]
const readme = readFileSync('README.md', 'utf8')
const scripts = JSON.parse(readFileSync('package.json', 'utf8')).scripts as Record<string, string>

const blocks = (text: string, language: string) =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code = '']) => code)

function mqttsn(...args: string[]): string {
  return execFileSync(process.execPath, ['node_modules/tsx/dist/cli.mjs', 'src/cli.ts', ...args], {
    encoding: 'utf8',
  })
}

describe('the README and its fellows', () => {
  it('links only to files that exist', () => {
    const missing = pages.flatMap((page) =>
      [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#:]+)\)/g)]
        .map(([, target = '']) => join(dirname(page), target))
        .filter((target) => !existsSync(target)),
    )
    expect(missing).toEqual([])
  })

  it('says of every folder of src/, two levels deep, of scripts/ and of lab/ what is there', () => {
    const contributing = readFileSync('CONTRIBUTING.md', 'utf8')
    const told = [...contributing.matchAll(/`((?:src|scripts|lab)(?:\/[\w-]+)*)\/?`/g)].map(
      ([, folder = '']) => folder,
    )
    const folders = (root: string, depth: number): string[] =>
      readdirSync(root, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => `${root}/${name}`)
        .flatMap((folder) => [folder, ...(depth > 1 ? folders(folder, depth - 1) : [])])
    const all = ['scripts', 'lab', ...folders('lab', 1), ...folders('src', 2)]
    expect(all.filter((folder) => !told.includes(folder))).toEqual([])
    expect(told.filter((folder) => !existsSync(folder))).toEqual([])
  })

  it('names only files and folders of the project that exist', () => {
    // its generator names what the last whole run of the tests has found
    const written = pages.filter((page) => page !== 'docs/conformance.md')
    const missing = written.flatMap((page) =>
      [...readFileSync(page, 'utf8').matchAll(/(?<![\w./-])(?:src|scripts|lab|test)\/[\w/.-]*\w/g)]
        .map(([path]) => path)
        .filter((path) => !existsSync(path))
        .map((path) => `${page}: ${path}`),
    )
    expect(missing).toEqual([])
  })

  it('uses only npm scripts that exist', () => {
    const used = pages.flatMap((page) =>
      [...readFileSync(page, 'utf8').matchAll(/npm run ([a-z:]+)/g)].map(([, name = '']) => name),
    )
    expect(used.length).toBeGreaterThan(3)
    expect(used.filter((name) => scripts[name] === undefined)).toEqual([])
  })

  it('shows a configuration that the gateway accepts', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mqttsn-readme-'))
    try {
      writeFileSync(join(folder, 'ca.pem'), '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n')
      const [example = ''] = blocks(readme, 'json')
      writeFileSync(join(folder, 'gateway.config.json'), example)
      const { config } = loadConfig({
        file: join(folder, 'gateway.config.json'),
        env: { METER_PASSWORD: 'x' },
      })
      expect(config.broker.url).toBe('mqtts://broker.example:8883')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('begins with a configuration for sensors on the LAN, which is accepted without a warning', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mqttsn-readme-'))
    try {
      const [, text = ''] = /cat > lan\.json <<'END'\n([\s\S]*?)END\n/.exec(readme) ?? []
      writeFileSync(join(folder, 'lan.json'), text)
      const { config, warnings } = loadConfig({ file: join(folder, 'lan.json'), env: {} })
      expect(warnings).toEqual([])
      expect(config.listeners).toMatchObject([{ url: 'udp://0.0.0.0:1884', allow: ['192.168.0.0/16'] }])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('shows commands and options that exist', () => {
    const lines = blocks(readme, 'sh')
      .join('')
      .split('\n')
      .map((line) => line.replace(/#(?= ).*/, '').trim())
      .map((line) => line.replace(/^npx -p mqtt-sn-gateway /, ''))
      .filter((line) => line.startsWith('mqttsn '))
    expect(lines.length).toBeGreaterThan(6)
    const helps = new Map<string, string>()
    for (const line of lines) {
      const [, command = '', ...words] = line.split(/\s+/)
      const help = helps.get(command) ?? mqttsn(command, ...(command === 'sensor' ? ['valve'] : []), '--help')
      helps.set(command, help)
      const options = words.filter((word) => /^--?[a-z]/.test(word))
      expect(
        options.filter((option) => !help.includes(option)),
        line,
      ).toEqual([])
    }
  })

  it('never asks npx for a name that is not the one of this package', () => {
    const asked = pages.flatMap((page) =>
      [...readFileSync(page, 'utf8').matchAll(/\bnpx +(?:-[\w-]+ +)*([\w@/-]+)/g)].map(([command, name]) => ({
        page,
        command,
        name,
      })),
    )
    // tools of this project's own, which are installed by the time somebody works on it
    const tools = ['tsx', 'vitest', 'biome']
    expect(asked.filter(({ name = '' }) => name !== 'mqtt-sn-gateway' && !tools.includes(name))).toEqual([])
  })

  it('decodes what it says it decodes', () => {
    const hex = /mqttsn decode ([0-9a-f]+)/.exec(readme)?.[1] ?? ''
    expect(mqttsn('decode', hex)).toContain('PUBLISH')
  })
})
