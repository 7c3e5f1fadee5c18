// The documentation site: whatever is in docs/ is on it, the API is described as the gateway describes it, and no link is dead.

import { spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askForDescription } from '../../lab/site/api-description.ts'
import { restApiPage } from '../../lab/site/api-page.ts'
import { deadLinks, resolveLink } from '../../lab/site/links.ts'
import { sidebarOf, sitePages, titleOf } from '../../lab/site/pages.ts'
import { filesBelow } from '../support/source.ts'

const folders: string[] = []
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'mqttsn-site-'))
  folders.push(made)
  return made
}
afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true })
})

describe('the pages of the site', () => {
  it('are README, CONTRIBUTING, CHANGELOG and all of docs/, each once, and stands in the sidebar', () => {
    const all = sitePages()
    const pages = all.filter(({ source }) => !source.startsWith('deploy/'))
    const sources = pages.map(({ source }) => source)
    expect(sources).toEqual(expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md']))
    for (const { path } of filesBelow('docs', ['.md'])) expect(sources).toContain(path)
    expect(new Set(pages.map(({ page }) => page)).size).toBe(pages.length)
    const links = sidebarOf(all, []).flatMap(({ items }) => items.map(({ link }) => link))
    expect(links.sort()).toEqual(
      pages.map(({ page }) => `/${page.replace(/(^|\/)index\.md$/, '$1').replace(/\.md$/, '')}`).sort(),
    )
  })

  it('are called by their first heading, which is not one in a block of code', () => {
    expect(titleOf('```sh\n# no\n```\n\n# The `codec`, [here](x.md)\n', 'x')).toBe('The codec, here')
    expect(titleOf('text', 'recipes')).toBe('recipes')
  })
})

describe('links between files', () => {
  const pages = [
    { source: 'README.md', page: 'index.md' },
    { source: 'docs/operation.md', page: 'operation.md' },
    { source: 'docs/recipes/README.md', page: 'recipes/index.md' },
  ]
  const from = (source: string) => {
    const page = pages.find((one) => one.source === source)
    if (page === undefined) throw new Error(source)
    return (href: string, repository?: string) => resolveLink(href, page, { pages, repository })
  }

  it('lead to pages, with their anchors, from wherever they stand', () => {
    expect(from('README.md')('docs/operation.md#reload')).toEqual({
      kind: 'page',
      href: './operation.md#reload',
    })
    expect(from('docs/operation.md')('../README.md')).toEqual({ kind: 'page', href: './index.md' })
    expect(from('docs/operation.md')('#reload')).toEqual({ kind: 'page', href: '#reload' })
    expect(from('README.md')('https://mqtt.org/')).toEqual({ kind: 'elsewhere', href: 'https://mqtt.org/' })
  })

  it('lead to other files as the site has them, or as the repository does', () => {
    const link = from('docs/operation.md')
    expect(link('../deploy/alerts.yml')).toEqual({
      kind: 'file',
      href: '/files/deploy/alerts.yml',
      file: 'deploy/alerts.yml',
    })
    expect(link('../lab/brokers/README.md')).toMatchObject({ href: '/files/lab/brokers/README.md.txt' })
    expect(link('gateway.config.schema.json')).toEqual({ kind: 'asset', href: '/gateway.config.schema.json' })
    expect(link('../src/simulation/')).toEqual({ kind: 'none' })
    expect(link('../src/simulation/', 'https://host/o/n')).toEqual({
      kind: 'elsewhere',
      href: 'https://host/o/n/tree/HEAD/src/simulation',
    })
  })

  it('are wrong where no such file is, even if the site had such a page', () => {
    for (const href of ['operation', 'no-such.md', '/operation.md', '../../elsewhere.md'])
      expect(from('docs/operation.md')(href).kind, href).toBe('nowhere')
  })

  it('are followed in what was built: pages, headings, pictures, and nothing from elsewhere', () => {
    const site = folder()
    mkdirSync(join(site, 'api'))
    writeFileSync(join(site, 'a.css'), '')
    writeFileSync(
      join(site, 'index.html'),
      `<link href="/base/a.css"><h2 id="here">x</h2><a href="#here">1</a><a href="/base/api/">2</a><a href="/base/api/x#a&amp;b">3</a>
       <a href="/base/api/x#c">4</a><a href="./none">5</a><a href="/other">6</a><img src="/base/none.png">
       <a href="https://elsewhere.example/#x">7</a><script>'<a href="none">'</script><script src="https://cdn.example/x.js"></script>
       <a href="#there">8</a><a href="/base/nowhere/..%2Fx.md">9</a>`,
    )
    writeFileSync(join(site, 'api/index.html'), '<a href="../index.html#here">1</a>')
    writeFileSync(join(site, 'api/x.html'), '<a id="a&amp;b"></a><a href="/base/">1</a>')
    expect(deadLinks(site, '/base/')).toEqual([
      'index.html: /base/api/x#c: no such heading there',
      'index.html: ./none: no such page',
      'index.html: /other: is outside /base/',
      'index.html: #there: no such heading there',
      'index.html: ../x.md: no such file',
      'index.html: /base/none.png: no such page',
      'index.html: https://cdn.example/x.js: is loaded from elsewhere',
    ])
  })
})

describe('the page of the REST API', () => {
  it('names every request, parameter, status and object of the description that the gateway gives', async () => {
    const description = await askForDescription()
    const page = restApiPage(description)
    const paths = Object.entries(description.paths)
    expect(paths.length).toBeGreaterThan(15)
    for (const [path, methods] of paths) {
      for (const [method, { parameters = [], responses = {} }] of Object.entries(methods)) {
        const start = page.indexOf(`\n${method.toUpperCase()} ${path}\n`)
        expect(start, path).toBeGreaterThan(0)
        const ends = [page.indexOf('\n### ', start), page.indexOf('\n## ', start)].filter((end) => end > 0)
        const part = page.slice(start, Math.min(...ends))
        for (const { name } of parameters) expect(part, path).toContain(`\`${name}\``)
        for (const status of Object.keys(responses)) expect(part, path).toContain(`**${status}**`)
      }
    }
    const objects = page.slice(page.indexOf('\n## Objects'))
    for (const [name, { properties = {} }] of Object.entries(description.components?.schemas ?? {})) {
      const part = objects.slice(objects.indexOf(`\n### ${name}\n`)).split('\n### ')[1]
      for (const property of Object.keys(properties)) expect(part, name).toContain(`\`${property}\``)
    }
  })
})

// Asked once, through npm itself; what was installed before needs no registry.
const canInstall =
  existsSync('site/node_modules/.installed') ||
  spawnSync('npm', ['ping', '--fetch-timeout=10000', '--fetch-retries=0'], { stdio: 'ignore' }).status === 0

const named = canInstall ? '' : ' (skipped: the package registry is not reached)'

describe.skipIf(!canInstall)(`the site as it is built${named}`, { timeout: 120_000 }, () => {
  const project = folder()

  const build = (...options: string[]): Promise<{ code: number | null; output: string }> =>
    new Promise((done) => {
      const child = spawn(process.execPath, ['--import', 'tsx', 'lab/site.ts', ...options], {
        cwd: project,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let output = ''
      child.stdout.on('data', (text: Buffer) => (output += text))
      child.stderr.on('data', (text: Buffer) => (output += text))
      child.on('close', (code) => done({ code, output }))
    })

  const page = (name: string, text: string) => {
    mkdirSync(dirname(join(project, 'docs', name)), { recursive: true })
    writeFileSync(join(project, 'docs', name), text)
  }

  // A copy, to which pages can be added.
  beforeAll(() => {
    for (const name of [
      'README.md',
      'CONTRIBUTING.md',
      'CHANGELOG.md',
      'LICENSE',
      'package.json',
      'tsconfig.json',
    ])
      cpSync(name, join(project, name))
    for (const name of ['docs', 'src', 'lab', 'deploy', 'scripts', 'test', 'site', 'gateway.config.json'])
      cpSync(name, join(project, name), {
        recursive: true,
        filter: (file) => !/^site\/(?:node_modules|dist|stage|\.cache)|\/target$/.test(file),
      })
    for (const name of ['node_modules', 'dist']) symlinkSync(resolve(name), join(project, name))
    const installed = resolve('site/node_modules')
    if (existsSync(join(installed, '.installed'))) symlinkSync(installed, join(project, 'site/node_modules'))
  })

  it('fails with every link that leads nowhere, and has a page for each file in docs/, new ones too', async () => {
    page(
      'recipes/a-new-one.md',
      '# A new {{ recipe }}\n\nSee [reload](../operation.md#reload), `{{ value_json }}`.\n',
    )
    page(
      'broken.md',
      '# Broken\n\n[a](no-such.md), [b](operation.md#no-such), [c](operation), [d](#no-such), ![e](no-such.png), <a href="no-such-page">f</a>, [g][h]\n\n[h]: ../no-such.yml\n',
    )
    const { code, output } = await build('--base', '/gateway/')
    expect(output.trim().split('\n').slice(-8).sort()).toEqual(
      [
        'links that lead nowhere:',
        'broken.html: no-such.md: no such file',
        'broken.html: ./operation#no-such: no such heading there',
        'broken.html: operation: no such file',
        'broken.html: #no-such: no such heading there',
        'broken.html: no-such.png: no such file',
        'broken.html: no-such-page: no such page',
        'broken.html: ../no-such.yml: no such file',
      ].sort(),
    )
    expect(code).toBe(1)

    // All else is in order, or it would have been named.
    const site = join(project, 'site/dist')
    const html = (name: string) => readFileSync(join(site, name), 'utf8')
    for (const { path } of filesBelow('docs', ['.md']))
      expect(
        existsSync(
          join(site, path.replace('docs/', '').replace('README.md', 'index.md').replace('.md', '.html')),
        ),
        path,
      ).toBe(true)
    expect(html('index.html')).toContain('href="/gateway/recipes/a-new-one"')
    expect(html('recipes/a-new-one.html')).toContain('<code>{{ value_json }}</code>')
    expect(html('recipes/a-new-one.html')).toContain('href="./../operation#reload"')
    expect(html('index.html')).toContain('VPSwitchAppearance')
    expect(html('index.html')).toContain('DocSearch-Button')
    expect(html('api/mqtt-sn-gateway.html')).toContain('createGateway')
    expect(html('api/mqtt-sn-gateway/codec.html')).toContain('decodeFrame')
    expect(html('api/mqtt-sn-gateway/sensor.html')).toContain('SensorOptions')
    expect(html('api/rest.html')).toContain('/api/sensors/{clientId}/publish')
  })

  it('says what is wrong with its options', async () => {
    const { code, output } = await build('--base', 'gateway')
    expect(code).toBe(2)
    expect(output).toContain('--base gateway: a path that begins and ends with /')
  })
})
