// The page of the docs that alerts, findings and events link to, as HTML: it comes with the package, so that it needs no other site.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'

/** In the package: docs/ is beside dist/ and src/. */
const places = ['../../docs/operation.md', '../../../docs/operation.md']

function readPage(): string {
  for (const place of places) {
    try {
      return readFileSync(fileURLToPath(new URL(place, import.meta.url)), 'utf8')
    } catch {
      // the other one
    }
  }
  return 'The docs are not part of this installation: see docs/operation.md of the package mqtt-sn-gateway.'
}

/** Links to other pages of the docs lead nowhere here: they stay as text. Headings get the anchors that GitHub gives them. */
async function render(): Promise<string> {
  const { Marked } = await import('marked')
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }) {
        const id = text
          .toLowerCase()
          .replaceAll(/[^\w\s-]/g, '')
          .trim()
          .replaceAll(/\s+/g, '-')
        return `<h${depth} id="${id}">${this.parser.parseInline(tokens)}</h${depth}>\n`
      },
      link({ href, tokens }) {
        const inner = this.parser.parseInline(tokens)
        return href.startsWith('#') ? `<a href="${href}">${inner}</a>` : inner
      },
    },
  })
  const body = await marked.parse(readPage())
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Operation · MQTT-SN gateway</title>
    <link rel="icon" href="../icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="../styles/style.css">
    <script src="../theme.js"></script>
  </head>
  <body class="docs"><main>${body}</main></body>
</html>
`
}

/** Adds the route; the page is made when it is first asked for. */
export function serveDocs(app: FastifyInstance): void {
  let page: Promise<string> | undefined
  app.get('/docs/operation', { schema: { hide: true } }, async (_request, reply) => {
    page ??= render()
    return reply
      .type('text/html; charset=utf-8')
      .header('cache-control', 'no-cache')
      .send(await page)
  })
}
