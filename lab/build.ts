// Builds dist/: `npm run build`. dist/src and dist/scripts are the programs, dist/types what those need who write programs with the
// package in TypeScript, dist/lab the tools for developers, which the package leaves out.
//
// The compiler only looks at what has changed since the last time. What has lost its source, because a file was moved, is
// deleted, so that dist/ always holds what an empty one would.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { BUILT_PAGE, buildPage } from './page.ts'

const OUT = 'dist'
/** The declarations of everything; only what the package's faces lead to is of use to anyone else. */
const DECLARATIONS = 'dist/.declarations'
const TYPES = 'dist/types'

const filesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
    : []

function compile(...flags: string[]): void {
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json')
  const compiler = join(dirname(typescript), 'bin', 'tsc')
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', ...flags], {
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(status ?? 1)
}

/** Deletes what has no source any more. Sources have the same path, in TypeScript; the console's page is built by itself. */
function deleteStale(folder: string, root: string, ending: string): void {
  for (const file of filesIn(folder)) {
    const path = relative(root, file)
    const isCompiled = file.endsWith(ending) && existsSync(`${path.slice(0, -ending.length)}.ts`)
    if (!isCompiled && !file.startsWith(BUILT_PAGE)) rmSync(file)
  }
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
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    exports: Record<string, { types: string }>
  }
  const faces = Object.values(exports).map(({ types }) => join(DECLARATIONS, relative(TYPES, types)))
  rmSync(TYPES, { recursive: true, force: true })
  for (const file of reachableFrom(faces)) {
    const target = join(TYPES, relative(DECLARATIONS, file))
    mkdirSync(dirname(target), { recursive: true })
    cpSync(file, target)
  }
}

/** Deletes programs in which nothing is left at run time, since their source has only types. */
function deleteEmpty(folder: string): void {
  for (const file of filesIn(folder)) {
    if (!file.endsWith('.js')) continue
    const code = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    if (code.trim() === 'export {};') rmSync(file)
  }
}

// The programs without comments, which are half of what would be shipped; the declarations with those that editors show.
compile('--removeComments', '--tsBuildInfoFile', join(OUT, '.programs.tsbuildinfo'))
compile(
  '--emitDeclarationOnly',
  '--declaration',
  '--declarationDir',
  DECLARATIONS,
  '--tsBuildInfoFile',
  join(OUT, '.types.tsbuildinfo'),
)
for (const folder of ['src', 'scripts', 'lab']) deleteStale(join(OUT, folder), OUT, '.js')
deleteStale(DECLARATIONS, DECLARATIONS, '.d.ts')
buildPage()
collectTypes()
deleteEmpty(join(OUT, 'src'))
