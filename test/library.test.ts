// The package as another program sees it: what its entry points give, and the programs of docs/library.md, run against dist/.

import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import * as codec from '../src/library/codec.ts'
import * as library from '../src/library.ts'
import { runExample, writeExamples } from './support/library-examples.ts'

// In the project, so that Node finds the package by its own name, and the compiler the types of Node.
const folder = '.test-results/library'
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const examples = writeExamples(folder)

describe('the package', () => {
  it('gives what docs/library.md lists, and nothing else', () => {
    expect(Object.keys(library).sort()).toEqual(
      [
        ...['createGateway', 'loadConfig', 'openConsole', 'createLog'],
        ...['createMemoryStore', 'openLmdbStore', 'ConfigError', 'StoreError'],
      ].sort(),
    )
    expect(Object.keys(codec).sort()).toEqual(
      [
        ...['decodeFrame', 'encodeFrame', 'decode', 'encode', 'describeFrame', 'summarize'],
        ...['MsgType', 'ReturnCode'],
      ].sort(),
    )
    const page = readFileSync('docs/library.md', 'utf8')
    for (const name of Object.keys(library)) expect(page, name).toContain(`\`${name}\``)
  })

  it('has an entry point with types for each of its names', () => {
    const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      exports: Record<string, { types: string; default: string }>
    }
    expect(Object.keys(exports)).toEqual(['.', './codec', './sensor'])
    for (const { types, default: program } of Object.values(exports)) {
      expect([types, existsSync(types)]).toEqual([types, true])
      expect([program, existsSync(program)]).toEqual([program, true])
    }
  })

  it('serves a console only for a gateway of its own', async () => {
    const { config } = library.loadConfig({ env: {} })
    const copy = { ...library.createGateway(config) }
    await expect(library.openConsole(copy)).rejects.toThrow(TypeError)
  })
})

describe('the programs of docs/library.md', () => {
  it('are there', () => {
    expect(examples.map(({ title }) => title)).toEqual([
      'A gateway inside a program, and sensors',
      'Seeing what happens',
      'Keys from elsewhere',
      'Stores and errors',
      'Datagrams',
    ])
  })

  it.concurrent.each(examples)('print what the page says: $title', async (example) => {
    expect(await runExample(example, folder)).toBe(example.output)
  })

  it.concurrent('fit the types that the package ships', async () => {
    const options = [
      '--noEmit',
      '--allowJs',
      '--checkJs',
      '--strict',
      '--target',
      'es2023',
      '--module',
      'nodenext',
    ]
    const files = examples.map(({ file }) => file)
    const compiler = [
      'node_modules/typescript/bin/tsc',
      '--ignoreConfig',
      ...options,
      '--types',
      'node',
      ...files,
    ]
    const { stdout } = await promisify(execFile)(process.execPath, compiler).catch((error) => error)
    expect(stdout).toBe('')
  })
})
