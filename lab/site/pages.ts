// Which pages the site has, and in which order they stand beside them. Whatever is in docs/ is a page by itself.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, posix } from 'node:path'

/** A file in Markdown of this project, and where it is on the site. */
export interface SitePage {
  /** path within the project: `docs/operation.md` */
  readonly source: string
  /** path within the site, with its ending: `operation.md` */
  readonly page: string
}

/** A part of the list beside the pages, as VitePress has it. */
export interface SidebarGroup {
  readonly text: string
  readonly items: readonly { readonly text: string; readonly link: string }[]
  readonly collapsed?: boolean
}

/** Pages from outside docs/. */
const ELSEWHERE: readonly SitePage[] = [
  { source: 'README.md', page: 'index.md' },
  { source: 'CONTRIBUTING.md', page: 'contributing.md' },
  { source: 'CHANGELOG.md', page: 'changelog.md' },
]

/** Pages that others link to, and that are in no list: what stands beside the files that it explains. */
const BESIDE = 'deploy'

/** What a newcomer reads first; all others follow by their titles. */
const FIRST = ['index', 'install', 'configuration', 'operation', 'brokers', 'clients', 'metrics', 'library']

/** What only those read who look into the gateway itself. */
const LAST = ['conformance', 'performance', 'readings', 'decisions', 'contributing', 'changelog']

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).replaceAll('\\', '/'))
    .sort()
}

/** Every page; a README in a folder of docs/ is the first page of that folder. */
export function sitePages(): SitePage[] {
  const own = filesBelow('docs').filter((file) => file.endsWith('.md'))
  return [
    ...ELSEWHERE.filter(({ source }) => existsSync(source)),
    ...own.map((source) => {
      const page = posix.relative('docs', source)
      if (page === 'README.md' || page === 'index.md') return { source, page: 'contents.md' }
      return { source, page: page.replace(/(^|\/)README\.md$/, '$1index.md') }
    }),
    ...filesBelow(BESIDE)
      .filter((file) => file.endsWith('.md'))
      .map((source) => ({ source, page: source })),
  ]
}

/** The files in docs/ that are no pages: pictures, schemas. */
export const siteAssets = (): string[] => filesBelow('docs').filter((file) => !file.endsWith('.md'))

/** The first heading, without its markup. */
export function titleOf(markdown: string, fallback: string): string {
  const heading = /^#\s+(.+?)\s*#*$/m.exec(markdown.replace(/^```[\s\S]*?^```/gm, ''))?.[1] ?? fallback
  return heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]|\\(?=[^\w\s])/g, '')
}

const linkTo = (page: string): string => `/${page.replace(/\.md$/, '').replace(/(^|\/)index$/, '$1')}`
const capital = (text: string): string =>
  `${text.slice(0, 1).toUpperCase()}${text.slice(1).replaceAll('-', ' ')}`

/** The list beside the pages: one group of those in docs/ itself, one for each folder, the programs' interfaces, and the rest. */
export function sidebarOf(
  pages: readonly SitePage[],
  api: readonly { readonly text: string; readonly page: string }[],
): SidebarGroup[] {
  const listed = pages.filter(({ source }) => !source.startsWith(`${BESIDE}/`))
  const entries = listed.map(({ source, page }) => ({
    page,
    name: page.replace(/\.md$/, ''),
    text: page === 'index.md' ? 'Overview' : titleOf(readFileSync(source, 'utf8'), basename(page, '.md')),
  }))
  const rank = (list: readonly string[], name: string) =>
    list.includes(name) ? list.indexOf(name) : list.length
  const group = (text: string, found: typeof entries, order: readonly string[]): SidebarGroup => ({
    text,
    items: found
      .sort((a, b) => rank(order, a.name) - rank(order, b.name) || a.text.localeCompare(b.text, 'en'))
      .map(({ text: title, page }) => ({ text: title, link: linkTo(page) })),
  })
  const top = entries.filter(({ page }) => !page.includes('/'))
  const folders = [...new Set(entries.map(({ page }) => dirname(page)))].filter((folder) => folder !== '.')
  return [
    group(
      'Guide',
      top.filter(({ name }) => !LAST.includes(name)),
      FIRST,
    ),
    ...folders.sort().map((folder) =>
      group(
        capital(basename(folder)),
        entries.filter(({ page }) => dirname(page) === folder),
        [`${folder}/index`],
      ),
    ),
    { text: 'Interfaces', items: api.map(({ text, page }) => ({ text, link: linkTo(page) })) },
    group(
      'Inside',
      top.filter(({ name }) => LAST.includes(name)),
      LAST,
    ),
  ]
}
