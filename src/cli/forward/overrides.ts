// What the flags of `mqttsn forward` say, in the shape of its configuration.

import { resolve } from 'node:path'
import type { Command } from 'commander'
import { LINK, urlOf } from '../terminal/addresses.ts'
import type { SecurityFlags } from '../terminal/security.ts'

export interface ForwardFlags extends SecurityFlags {
  config?: string
  from?: string[]
  to?: string
  node?: string[]
  nested?: true
  keepalive?: string
  answerSearch?: boolean
  localPort?: string
  metrics?: string
  check?: true
  logLevel?: string
  logFormat?: string
}

/** Where metrics are, if only a host is given: the port of the node exporter of Prometheus. */
const METRICS = { scheme: 'http', port: 9100 }

/** Ends the command where flags do not fit together; what is no address is left to the configuration, which says what it should be. */
export function overridesOf(flags: ForwardFlags, command: Command): object {
  const refuse = (message: string): never => command.error(`error: ${message}`, { exitCode: 2 })
  const { config, from, node = [], nested, keepalive, localPort, metrics, logLevel, logFormat } = flags
  if (config === undefined && (from === undefined || flags.to === undefined))
    refuse('give --from and --to, or --config with both')
  if (node.length > (from?.length ?? 0)) refuse('each --node belongs to a --from, in their order')
  const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli'
  const to = {
    ...(flags.to !== undefined && { url: urlOf(flags.to, LINK) ?? flags.to }),
    // what a file of keys says otherwise must not stand beside a key that was given
    ...(isGiven('psk') && { psk: flags.psk }),
    ...(isGiven('pskFile') && { pskFile: flags.pskFile && resolve(flags.pskFile) }),
    ...(flags.pskIdentity !== undefined && { pskIdentity: flags.pskIdentity }),
    ...pemOf('ca', flags),
    ...pemOf('cert', flags),
    ...pemOf('key', flags),
    ...(flags.serverName !== undefined && { serverName: flags.serverName }),
    ...(localPort !== undefined && { localPort: numberOf(localPort) }),
  }
  return {
    ...(from && {
      from: from.map((url, i) => (node[i] === undefined ? url : { url, node: node[i] })),
    }),
    ...(Object.keys(to).length > 0 && { to }),
    ...(nested && { nested }),
    ...(keepalive !== undefined && { keepalive }),
    ...(isGiven('answerSearch') && { answerSearch: flags.answerSearch }),
    ...(metrics !== undefined && { metrics: urlOf(metrics, METRICS) ?? metrics }),
    ...((logLevel ?? logFormat) !== undefined && {
      log: { ...(logLevel && { level: logLevel }), ...(logFormat && { format: logFormat }) },
    }),
  }
}

/** A flag is about the working directory, wherever the configuration is. */
const pemOf = (name: 'ca' | 'cert' | 'key', flags: SecurityFlags): object => {
  const path = flags[name]
  return path === undefined ? {} : { [name]: `\${file:${resolve(path)}}` }
}

const numberOf = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text)
