// Links: from where a file of the project stands to where it is on the site, and which of them lead nowhere in what was built.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import type { SitePage } from './pages.ts'

/** What the links of pages are resolved with. */
export interface LinkTable {
  readonly pages: readonly SitePage[]
  /** where the project's files can be read, such as `https://host/owner/name`; undefined: they are given with the site */
  readonly repository: string | undefined
}

/** Where a link leads on the site. */
export type Resolved =
  | { readonly kind: 'page' | 'asset' | 'elsewhere'; readonly href: string }
  /** a file of the project that is not in docs/, to be given with the site */
  | { readonly kind: 'file'; readonly href: string; readonly file: string }
  /** a folder of the project, of which the site has nothing to show */
  | { readonly kind: 'none' }
  /** there is no such file; `deadLinks` will say so */
  | { readonly kind: 'nowhere'; readonly href: string }

/** Files of the project outside docs/ are given with the site in this folder. */
const FILES = 'files'

/** How links begin that are wrong already in the file where they are written. */
const NOWHERE = '/nowhere/'

/**
 * Where `href` leads, written in the file `page.source` of the project. Only files that exist
 * count: a page is read in docs/, too, where `operation` is not `operation.md`.
 */
export function resolveLink(
  href: string,
  page: SitePage,
  { pages, repository }: LinkTable,
  project = '.',
): Resolved {
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(href)) return { kind: 'elsewhere', href }
  const [path = '', ...rest] = href.split('#')
  const anchor = rest.length === 0 ? '' : `#${rest.join('#')}`
  if (path === '') return { kind: 'page', href }
  const target = posix.join(posix.dirname(page.source), decodeURIComponent(path)).replace(/\/$/, '')
  if (path.startsWith('/') || target.startsWith('..') || !existsSync(join(project, target)))
    return { kind: 'nowhere', href: `${NOWHERE}${encodeURIComponent(href).replaceAll('.', '%2E')}` }
  const from = posix.dirname(page.page)
  const relative = (place: string) => {
    const way = posix.relative(from, place)
    return way.startsWith('.') ? way : `./${way}`
  }
  const isFolder = statSync(join(project, target)).isDirectory()
  const found = pages.find(({ source }) => source === (isFolder ? posix.join(target, 'README.md') : target))
  if (found !== undefined) return { kind: 'page', href: `${relative(found.page)}${anchor}` }
  if (!isFolder && target.startsWith('docs/'))
    return { kind: 'asset', href: `/${posix.relative('docs', target)}${anchor}` }
  if (repository !== undefined)
    return {
      kind: 'elsewhere',
      href: `${repository}/${isFolder ? 'tree' : 'blob'}/HEAD/${target}${anchor}`,
    }
  if (isFolder) return { kind: 'none' }
  // as it is: a link to a page would lose the ending
  const given = target.endsWith('.md') ? `${target}.txt` : target
  return { kind: 'file', href: `/${FILES}/${given}`, file: target }
}

interface Html {
  readonly ids: ReadonlySet<string>
  readonly links: readonly string[]
  /** what the page loads by itself */
  readonly loaded: readonly string[]
}

const decode = (text: string) =>
  text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')

/** The links of a page as it was built. In built pages text holds no `<`, and values of attributes stand in double quotes. */
function readHtml(html: string): Html {
  const ids = new Set<string>()
  const links: string[] = []
  const loaded: string[] = []
  const body = html.replace(/<(script|style)\b([^>]*)>[\s\S]*?<\/\1>/g, '<$1$2>')
  for (const [tag, element = ''] of body.matchAll(/<([a-zA-Z][\w-]*)\b[^>]*>/g)) {
    for (const [, name = '', value = ''] of tag.matchAll(/\s(id|name|href|src)="([^"]*)"/g)) {
      if (name === 'id' || name === 'name') ids.add(decode(value))
      else if (element === 'a' || element === 'area') links.push(decode(value))
      else loaded.push(decode(value))
    }
  }
  return { ids, links, loaded }
}

/** Every link of a built site that leads nowhere, page or anchor, and everything that a page would load from elsewhere. */
export function deadLinks(folder: string, base = '/'): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) =>
    file.replaceAll('\\', '/'),
  )
  const pages = new Map(
    files
      .filter((file) => file.endsWith('.html') && file !== '404.html')
      .map((file) => [file, readHtml(readFileSync(join(folder, file), 'utf8'))]),
  )
  const fileOf = (path: string) =>
    [path, `${path}.html`, posix.join(path, 'index.html')].find(
      (file) => file !== '' && existsSync(join(folder, file)) && statSync(join(folder, file)).isFile(),
    )
  return [...pages].flatMap(([page, { links, loaded }]) => {
    const wrong = (href: string): string | undefined => {
      if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(href)) return undefined
      const [path = '', anchor] = href.split('#')
      const plain = decodeURIComponent(path.split('?')[0] ?? '')
      if (plain.startsWith('/') && !plain.startsWith(base)) return `is outside ${base}`
      const target = plain.startsWith('/')
        ? plain.slice(base.length)
        : plain === ''
          ? page
          : posix.join(posix.dirname(page), plain)
      const file = fileOf(target)
      if (file === undefined) return 'no such page'
      const ids = pages.get(file)?.ids
      if (anchor === undefined || anchor === '' || ids === undefined) return undefined
      return ids.has(decodeURIComponent(anchor)) ? undefined : 'no such heading there'
    }
    const said = (href: string, why: string | undefined) => {
      if (why === undefined) return []
      const nowhere = href.indexOf(NOWHERE)
      if (nowhere === -1) return [`${page}: ${href}: ${why}`]
      return [`${page}: ${decodeURIComponent(href.slice(nowhere + NOWHERE.length))}: no such file`]
    }
    return [
      ...links.flatMap((href) => said(href, wrong(href))),
      ...loaded.flatMap((href) =>
        said(href, /^(?:https?:)?\/\//i.test(href) ? 'is loaded from elsewhere' : wrong(href)),
      ),
    ]
  })
}
