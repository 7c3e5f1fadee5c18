// Builds dist/: `npm run build`. dist/src and dist/scripts are the programs, dist/types what those need who write programs with the
// package in TypeScript, dist/lab the tools for developers, which the package leaves out.
//
// esbuild makes few files of many, which are quicker to load and smaller to ship; types come from the compiler, which only looks
// at what has changed since the last time. dist/ always holds what an empty one would: what earlier builds left is deleted.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { BUILT_PAGE, buildPage } from './page.ts'

const OUT = 'dist'
/** The declarations of everything; only what the package's faces lead to is of use to anyone else. */
const DECLARATIONS = 'dist/.declarations'
const TYPES = 'dist/types'

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly bin: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>
}

const filesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
    : []

function emitDeclarations(): void {
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json')
  const compiler = join(dirname(typescript), 'bin', 'tsc')
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(status ?? 1)
}

/** The declaration files that those in `entries` import, directly or not, and they themselves. */
function reachableFrom(entries: readonly string[]): Set<string> {
  const found = new Set(entries)
  for (const file of found) {
    for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(
      /(?:from|import\()\s*['"](\.[^'"]+)['"]/g,
    ))
      found.add(join(dirname(file), from.replace(/\.[jt]s$/, '.d.ts')))
  }
  return found
}

/** Puts the declarations that the package's faces need into dist/types. */
function collectTypes(): void {
  const faces = Object.values(manifest.exports).map(({ types }) => join(DECLARATIONS, relative(TYPES, types)))
  rmSync(TYPES, { recursive: true, force: true })
  for (const file of reachableFrom(faces)) {
    const target = join(TYPES, relative(DECLARATIONS, file))
    mkdirSync(dirname(target), { recursive: true })
    cpSync(file, target)
  }
}

/** Deletes what earlier builds left in a folder. */
function deleteStale(folder: string, isCurrent: (file: string) => boolean): void {
  for (const file of filesIn(folder)) if (!isCurrent(file)) rmSync(file)
}

/**
 * What is run: everything that can be started by itself, and beside it, in files named `chunk` or for the command they are loaded
 * for, what these share. Names and lines stay as they were written, so that a stack trace can be read; the maps are for debuggers
 * and profiles, and are not shipped.
 */
async function bundle(entryPoints: readonly string[], chunks: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [...entryPoints],
    outdir: OUT,
    outbase: '.',
    chunkNames: `${chunks}/[name]-[hash]`,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    legalComments: 'none',
    // shorter statements; names, whitespace and lines stay
    minifySyntax: true,
    sourcemap: 'linked',
    metafile: true,
    logLevel: 'warning',
    plugins: [ownPlaces],
  })
  return Object.keys(metafile.outputs)
}

/** Lets each source file find others from where it would be if it had not been bundled: `dist/` has the folders of the project. */
const ownPlaces: Plugin = {
  name: 'own places',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const place = relative('.', path).replaceAll('\\', '/').replace(/\.ts$/, '.js')
      const url = `import.meta.url.replace(/^(.*\\/${OUT}\\/).*$/, '$1${place}')`
      return { contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', url), loader: 'ts' }
    })
  },
}

/** What is started by itself: the command, the faces of the package, the worker threads; and the tools for developers. */
const programs = [
  ...Object.values(manifest.bin),
  ...Object.values(manifest.exports).map((face) => face.default),
]
  .map((path) => relative(OUT, path).replace(/\.js$/, '.ts'))
  .concat(filesIn('src').filter((file) => basename(file) === 'worker.ts'))
const tools = ['lab', 'scripts']
  .flatMap(filesIn)
  .filter((file) => file.endsWith('.ts') && !/^lab.(?:docs|install|build|page)\b/.test(file))

const built = new Set([...(await bundle(programs, 'src')), ...(await bundle(tools, 'lab'))])
for (const folder of ['src', 'scripts', 'lab'])
  deleteStale(join(OUT, folder), (file) => built.has(file) || file.startsWith(`${BUILT_PAGE}/`))
buildPage()

emitDeclarations()
deleteStale(DECLARATIONS, (file) => existsSync(relative(DECLARATIONS, file).replace(/\.d\.ts$/, '.ts')))
collectTypes()
