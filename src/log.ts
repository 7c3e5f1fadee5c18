// The log: one pino logger, as JSON lines or, for people, as coloured text. Secrets are struck out.

import {
  type Bindings,
  type ChildLoggerOptions,
  destination,
  type Logger,
  pino,
  stdTimeFunctions,
} from 'pino'
import { prettyFactory } from 'pino-pretty'
import type { Config } from './config/schema.ts'

/** What the gateway logs with: `log.info({ clientId }, 'connected')`. */
export type Log = Logger

/** Where lines go; a terminal says so by `isTTY`. */
export interface LogStream {
  readonly isTTY?: boolean | undefined
  write(line: string): unknown
  hasColors?(): boolean
}

const SECRET = new Set(['password', 'passphrase', 'cert'])
const HIDDEN = '***'
const DEEPEST = 8

// Instead of pino's own redaction by path: that misses some paths with several wildcards, and costs ten times as much
// per line. The value comes back unchanged, not copied, if there is nothing to hide.
function hide(value: unknown, depth: number): unknown {
  if (typeof value === 'string') {
    if (value.includes('-----BEGIN ')) return HIDDEN
    return value.includes('@') ? value.replace(/:\/\/[^/?#\s]*@/g, `://${HIDDEN}@`) : value
  }
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0) return HIDDEN
  if (Array.isArray(value)) return value.map((element) => hide(element, depth - 1))
  return isPlain(value) ? hideIn(value, depth) : value
}

function hideIn(object: Record<string, unknown>, depth: number): Record<string, unknown> {
  let result = object
  for (const key in object) {
    const value = object[key]
    const shown = SECRET.has(key) && value !== undefined ? HIDDEN : hide(value, depth - 1)
    if (shown === value) continue
    if (result === object) result = { ...object }
    result[key] = shown
  }
  return result
}

const isPlain = (value: object): value is Record<string, unknown> => {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

// Octets of lines that wait for a slow reader of the log; beyond that, lines are dropped instead of eating memory.
const WAITING = 4 * 1024 * 1024

/** A stream that turns JSON lines into text in this very thread, so that lines keep their place among other output. */
function pretty(stream: LogStream): LogStream {
  const colorize = stream.isTTY === true && (stream.hasColors?.() ?? true)
  const text = prettyFactory({ colorize, translateTime: 'SYS:HH:MM:ss.l', singleLine: true })
  return { write: (line) => stream.write(text(line)) }
}

// pino formats what a line brings, but not what a child logger adds to each of its lines. Children inherit this `child`.
function guarded(log: Log): Log {
  const { child } = log
  return Object.assign(log, {
    child(this: Log, bindings: Bindings, options?: ChildLoggerOptions): Log {
      return Reflect.apply(child, this, [hideIn(bindings, DEEPEST), options])
    },
  })
}

/**
 * Makes the logger. `settings` is the section `log`; lines go to `stream`, standard output by default. Time is ISO 8601,
 * levels are words. Standard output is written without blocking, and flushed when the process ends in an orderly way.
 */
export function createLog(settings: Config['log'], stream?: LogStream): Log {
  const target = stream ?? process.stdout
  const forPeople = settings.format === 'pretty' || (settings.format === 'auto' && target.isTTY === true)
  const options = {
    level: settings.level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (object: Record<string, unknown>) => hideIn(object, DEEPEST),
    },
  }
  if (forPeople) return guarded(pino(options, pretty(target)))
  return guarded(pino(options, stream ?? destination({ fd: 1, sync: false, maxLength: WAITING })))
}

/** For those who are given no log. */
export const silentLog: Log = createLog({ level: 'silent', format: 'json', payloads: false })
