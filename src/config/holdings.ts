// What a configuration holds that its text does not show: how many identities, where they are used, until when certificates count.

import { datedCertificates } from './dtls/certificate-dates.ts'
import { readPskKeys } from './dtls/psk-file.ts'
import type { Config } from './schema.ts'
import { variablesIn } from './sections/template.ts'

const DAY = 86_400_000

/** Nothing in it is secret. */
export interface Holdings {
  /** pre-shared keys of a listener: all, and those that stand in the configuration itself */
  readonly identities: readonly { readonly path: string; readonly count: number; readonly written: number }[]
  /** rules for sensors in which `${identity}` stands, or that say which identities may have a ClientId */
  readonly rules: readonly {
    readonly path: string
    readonly match: string
    readonly variable: readonly string[]
    readonly identity: readonly string[] | undefined
  }[]
  readonly certificates: readonly {
    readonly path: string
    readonly subject: string
    /** milliseconds since 1970 */
    readonly notAfter: number
    /** whole days, negative after its end */
    readonly daysLeft: number
  }[]
}

/** Reads the files of keys again; for a configuration that can be used. `now` is a wall time. */
export function holdingsOf(config: Config, now: number): Holdings {
  return {
    identities: config.listeners.flatMap(({ dtls }, i) => {
      if (dtls?.psk === undefined) return []
      const written = Object.keys(dtls.psk.keys ?? {}).length
      return [{ path: `listeners[${i}].dtls.psk`, count: readPskKeys(dtls.psk).keys.size, written }]
    }),
    rules: config.sensors.flatMap((rule, i) => {
      const { match, identity } = rule
      const variable = Object.entries(rule).flatMap(([key, value]) => (holdsIdentity(value) ? [key] : []))
      if (variable.length === 0 && identity === undefined) return []
      return [{ path: `sensors[${i}]`, match, variable, identity }]
    }),
    certificates: pemsOf(config).flatMap(([path, pem]) =>
      datedCertificates(pem).map(({ subject, notAfter }) => ({
        ...{ path, subject, notAfter },
        daysLeft: Math.floor((notAfter - now) / DAY),
      })),
    ),
  }
}

/** A line for each. */
export const holdingsText = ({ identities, rules, certificates }: Holdings): string[] => [
  ...identities.map(({ path, count, written }) => {
    const from = written > 0 && written < count ? `, ${written} of them in psk.keys` : ''
    return `${path}: ${count} ${count === 1 ? 'identity' : 'identities'}${from}`
  }),
  ...rules.map(({ path, match, variable, identity }) => {
    const uses = variable.length === 0 ? [] : [`\${identity} stands in ${variable.join(', ')}`]
    const may = identity === undefined ? [] : [`for the identities ${identity.join(', ')}`]
    return `${path} (${match}): ${[...uses, ...may].join('; ')}`
  }),
  ...certificates.map(({ path, subject, notAfter, daysLeft }) => {
    const left = daysLeft < 0 ? 'over' : `${daysLeft} ${daysLeft === 1 ? 'day' : 'days'} left`
    return `${path}: ${subject}, until ${new Date(notAfter).toISOString().slice(0, 10)}, ${left}`
  }),
]

function holdsIdentity(value: unknown): boolean {
  if (typeof value === 'string') return variablesIn(value).includes('identity')
  return Array.isArray(value) && value.some(holdsIdentity)
}

/** Of listeners: those for the broker are in the hands of whoever runs the broker. */
const pemsOf = ({ listeners }: Config): [path: string, pem: string][] =>
  listeners.flatMap(({ dtls }, i) =>
    (['cert', 'clientCa'] as const).flatMap((key): [string, string][] => {
      const pem = dtls?.[key]
      return pem ? [[`listeners[${i}].dtls.${key}`, pem]] : []
    }),
  )
