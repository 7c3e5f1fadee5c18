// How VitePress shows what `npm run site` has gathered in site/stage. The pages themselves are in docs/, for GitHub too.

import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { slug } from 'github-slugger'
import { defineConfig, type MarkdownRenderer } from 'vitepress'
import { resolveLink } from '../../lab/site/links.ts'
import type { SidebarGroup, SitePage } from '../../lab/site/pages.ts'

/** What lab/site/build.ts has written beside the pages. */
interface SiteFacts {
  readonly name: string
  readonly description: string
  readonly base: string
  readonly repository?: string
  readonly pages: readonly SitePage[]
  readonly sidebar: readonly SidebarGroup[]
}

// VitePress is started in site/.
const { name, description, base, repository, pages, sidebar } = JSON.parse(
  readFileSync('stage/site.json', 'utf8'),
) as SiteFacts
const project = resolve('..')

/** Files of the project that pages link to, and that are not in docs/. */
const given = new Map<string, string>()

/** Links between files of the project become links between pages. */
function moveLinks(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('move-links', ({ tokens, env }) => {
    const page = pages.find((one) => one.page === env.relativePath)
    if (page === undefined) return
    for (const children of tokens.map((token) => token.children ?? [])) {
      for (const [at, token] of children.entries()) {
        const attribute = token.type === 'link_open' ? 'href' : token.type === 'image' ? 'src' : undefined
        const href = attribute && token.attrGet(attribute)
        if (!attribute || !href) continue
        const resolved = resolveLink(href, page, { pages, repository }, project)
        if (resolved.kind === 'file') given.set(resolved.href, resolved.file)
        if (resolved.kind === 'nowhere' && token.type === 'image') {
          // as a link, so that it is found with the other dead ones; a picture would stop Vite
          Object.assign(token, { type: 'html_inline', content: `<a href="${resolved.href}"></a>` })
        } else if (resolved.kind !== 'none') token.attrSet(attribute, resolved.href)
        else {
          // the words stay, without a link
          const end = children.slice(at).find(({ type }) => type === 'link_close')
          for (const one of [token, end])
            if (one) Object.assign(one, { type: 'text', content: '', nesting: 0 })
        }
      }
    }
  })
}

/** Nothing in a page is an expression of Vue: two braces are two braces, in code and outside. */
function keepBraces({ core, renderer, utils }: MarkdownRenderer): void {
  core.ruler.push('keep-braces', ({ tokens }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? []))
      if (token.type === 'code_inline') token.attrSet('v-pre', '')
  })
  const text = renderer.rules.text
  renderer.rules.text = (...all) =>
    (text?.(...all) ?? utils.escapeHtml(all[0][all[1]]?.content ?? '')).replaceAll('{{', '&#123;&#123;')
}

export default defineConfig({
  title: name,
  description,
  base,
  lang: 'en',
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `${base}icon.svg` }]],
  srcDir: 'stage',
  outDir: 'dist',
  cacheDir: '.cache',
  cleanUrls: true,
  lastUpdated: false,
  // lab/site/links.ts looks at what was built: all links at once, with their anchors.
  ignoreDeadLinks: true,
  markdown: {
    // the same anchors as on GitHub, so that a link works at both places
    anchor: { slugify: (heading) => slug(heading) },
    toc: { level: [2, 3] },
    config: (markdown) => {
      moveLinks(markdown)
      keepBraces(markdown)
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    sidebar: [...sidebar].map((group) => ({ ...group, items: [...group.items] })),
    outline: { level: [2, 3] },
    ...(repository !== undefined && { nav: [{ text: 'Source', link: repository }] }),
  },
  buildEnd({ outDir }) {
    for (const [href, file] of given) {
      const target = join(outDir, href)
      mkdirSync(dirname(target), { recursive: true })
      cpSync(join(project, file), target)
    }
  },
})
