// Builds the console's page: a few files, each compressed twice, since that takes longer than a browser would want to wait.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { type BuildOptions, buildSync } from 'esbuild'

/** Where the page's sources are, and where the gateway looks for what is made of them. */
export const PAGE = 'src/console/page'
export const BUILT_PAGE = join('dist', PAGE)

const NOTICE =
  '/*! Contains Preact, (c) 2015-present Jason Miller, and uPlot, (c) Leon Sorokin: both under the MIT License. */'

/** The page is a module; what decides about its colours has to run before anything is painted, so it is a plain script. */
const PROGRAMS: readonly BuildOptions[] = [
  { entryPoints: { app: 'app.tsx', 'styles/style': 'styles/style.css' }, format: 'esm' },
  { entryPoints: { theme: 'theme.ts' }, format: 'iife' },
]
const COPIES = ['index.html', 'icon.svg']

function bundle(options: BuildOptions): { path: string; contents: Uint8Array }[] {
  const { outputFiles = [] } = buildSync({
    absWorkingDir: join(process.cwd(), PAGE),
    bundle: true,
    minify: true,
    write: false,
    outdir: '.',
    target: ['es2022', 'chrome111', 'firefox120', 'safari17.5'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    banner: { js: NOTICE },
    tsconfigRaw: {},
    logLevel: 'warning',
    ...options,
  })
  return outputFiles.map(({ path, contents }) => ({ path: path.slice(process.cwd().length + 1), contents }))
}

/** Makes the page anew; half a second. A gateway that starts meanwhile finds one page or the other. */
export function buildPage(): void {
  const files = [
    ...PROGRAMS.flatMap(bundle),
    ...COPIES.map((name) => ({ path: join(PAGE, name), contents: readFileSync(join(PAGE, name)) })),
  ]
  const written = new Set<string>()
  const write = (path: string, contents: Uint8Array) => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, contents)
    written.add(path)
  }
  for (const { path, contents } of files) {
    const params = { [constants.BROTLI_PARAM_SIZE_HINT]: contents.length }
    write(join('dist', `${path}.br`), brotliCompressSync(contents, { params }))
    write(join('dist', `${path}.gz`), gzipSync(contents, { level: 9 }))
  }
  for (const entry of readdirSync(BUILT_PAGE, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile() && !written.has(path)) rmSync(path)
  }
}
