// Real configuration files in a temporary directory, removed when the test ends.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ConfigError, type LoadOptions, loadConfig } from '../../src/config/load.ts'
import type { Problem } from '../../src/config/reading/problems.ts'

/** A directory with these files: texts as they are, everything else as JSON. */
export function directoryWith(files: Readonly<Record<string, unknown>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'mqttsn-config-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    const raw = typeof content === 'string' || content instanceof Uint8Array
    writeFileSync(join(directory, name), raw ? content : JSON.stringify(content, null, 2))
  }
  return directory
}

/** The path of a configuration file with this content. */
export const fileWith = (content: unknown): string => join(directoryWith({ 'c.json': content }), 'c.json')

/** Loads a file with this content. */
export const load = (content: unknown, options: Partial<LoadOptions> = {}) =>
  loadConfig({ file: fileWith(content), env: {}, ...options })

/** The error that loading ends with. */
export function errorOf(content: unknown, options: Partial<LoadOptions> = {}): ConfigError {
  try {
    load(content, options)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the configuration was accepted')
}

/** The problems that loading ends with. */
export const problemsWith = (content: unknown, options: Partial<LoadOptions> = {}): readonly Problem[] =>
  errorOf(content, options).problems
