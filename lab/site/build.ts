// Builds the documentation site: gathers the pages, lets TypeDoc and VitePress work, and looks for dead links.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { askForDescription } from './api-description.ts'
import { restApiPage } from './api-page.ts'
import { deadLinks } from './links.ts'
import { sidebarOf, siteAssets, sitePages } from './pages.ts'

const SITE = 'site'
const STAGE = join(SITE, 'stage')

/** Where the built site is. */
export const OUT: string = join(SITE, 'dist')

/** What may be chosen. */
export interface SiteOptions {
  /** the path that the site will have on its server, with a slash at both ends */
  readonly base: string
  readonly say: (line: string) => void
}

/** The site cannot be built, for a reason that its reader can do something about. */
export class SiteError extends Error {}

function run(what: string, command: string, args: readonly string[], cwd = SITE): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new SiteError(`${what}\n${error?.message ?? `${stdout}${stderr}`.trim()}`)
}

const binary = (name: string): string => join('node_modules', '.bin', name)

/** Installs what builds the site, where that has changed since the last time. It is not a part of the project's own install. */
function install(say: (line: string) => void): void {
  const lock = readFileSync(join(SITE, 'package-lock.json'))
  const stamp = join(SITE, 'node_modules', '.installed')
  const wanted = createHash('sha256').update(lock).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  say('installing VitePress and TypeDoc into site/')
  run('npm ci has failed in site/: is the registry reached?', 'npm', ['ci', '--ignore-scripts'])
  writeFileSync(stamp, wanted)
}

interface Manifest {
  readonly name: string
  readonly description: string
  readonly repository?: string | { readonly url: string }
  readonly exports: Readonly<Record<string, { readonly types: string }>>
}

/** `git+https://host/owner/name.git` as a browser opens it. */
function repositoryOf({ repository }: Manifest): string | undefined {
  const url = typeof repository === 'string' ? repository : repository?.url
  return url?.replace(/^git\+/, '').replace(/\.git$/, '')
}

/** Pages of what programs import: one for each entry point of the package, by TypeDoc. */
function writeProgramPages({ name, exports }: Manifest): { text: string; page: string }[] {
  const entries = Object.entries(exports).map(([path, { types }]) => ({
    text: posix.join(name, path),
    source: types.replace('./dist/types/', '').replace(/\.d\.ts$/, '.ts'),
  }))
  const folder = join(STAGE, 'entries')
  for (const { text, source } of entries) {
    const file = join(folder, `${text}.ts`)
    mkdirSync(dirname(file), { recursive: true })
    const up = posix.relative(dirname(file), source)
    writeFileSync(file, `/** \`import { ... } from '${text}'\` @module ${text} */\nexport * from '${up}'\n`)
  }
  const files = entries.map(({ text }) => posix.join('stage/entries', `${text}.ts`))
  run('TypeDoc has failed', binary('typedoc'), ['--options', 'typedoc.json', ...files])
  return entries.map(({ text }) => ({ text, page: `api/${text}.md` }))
}

function gather(manifest: Manifest, base: string): void {
  rmSync(STAGE, { recursive: true, force: true })
  const pages = sitePages()
  for (const { source, page } of pages) {
    mkdirSync(dirname(join(STAGE, page)), { recursive: true })
    cpSync(source, join(STAGE, page))
  }
  for (const file of siteAssets()) cpSync(file, join(STAGE, 'public', posix.relative('docs', file)))
  cpSync('src/console/page/icon.svg', join(STAGE, 'public/icon.svg'))
  const programs = writeProgramPages(manifest)
  const api = [{ text: 'REST API', page: 'api/rest.md' }, ...programs]
  const facts = {
    name: manifest.name,
    description: manifest.description,
    base,
    repository: repositoryOf(manifest),
    pages,
    sidebar: sidebarOf(pages, api),
  }
  writeFileSync(join(STAGE, 'site.json'), JSON.stringify(facts))
}

/** Builds the site into `OUT`; throws `SiteError` with every dead link, or with what else is in the way. */
export async function buildSite({ base, say }: SiteOptions): Promise<void> {
  install(say)
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest
  gather(manifest, base)
  writeFileSync(join(STAGE, 'api', 'rest.md'), restApiPage(await askForDescription()))
  rmSync(OUT, { recursive: true, force: true })
  run('VitePress has failed', binary('vitepress'), ['build'])
  const dead = deadLinks(OUT, base)
  if (dead.length > 0) throw new SiteError(`links that lead nowhere:\n${dead.join('\n')}`)
}
