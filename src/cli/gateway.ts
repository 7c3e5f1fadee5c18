// mqttsn gateway: runs the gateway until it is told to stop.

import { resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { holdSignals } from './gateway/stop-signals.ts'
import { brokerUrlOf, CONSOLE, GATEWAY, urlOf } from './terminal/addresses.ts'

interface Options {
  config?: string
  listen?: string[]
  broker?: string
  predefined?: Record<string, string>
  id?: string
  store?: string
  console?: string | boolean
  logLevel?: string
  logFormat?: string
  watch?: true
}

/**
 * The command `gateway`. Exit codes: 0 stopped, 1 wrong configuration or start failed, 2 wrong usage, 3 another gateway has taken over its store, 70 ended by an unexpected
 * error.
 */
export function gatewayCommand(): Command {
  return new Command('gateway')
    .description('run the gateway')
    .option(
      '-c, --config <file>',
      'configuration file (JSON with comments, or YAML); without it the defaults hold',
    )
    .option('-l, --listen <address>', 'listen here instead, such as 0.0.0.0:1884; repeatable', append)
    .option('-b, --broker <address>', 'MQTT broker: host:port, mqtts://, ws://, wss:// or "embedded"')
    .option('-p, --predefined <id=topic>', 'predefined topic id for all sensors; repeatable', assign)
    .option('--id <number>', 'GwId, 0 to 255')
    .option('--store <folder>', 'keep sessions there, or "memory": only while the gateway runs')
    .option('--console <address>', 'serve the console there, such as 127.0.0.1:8885')
    .option('--no-console', 'serve no console, no metrics, no API')
    .option('--log-level <level>', 'trace, debug, info, warn, error, fatal or silent')
    .option('--log-format <format>', 'pretty, json or auto')
    .option('-w, --watch', 'load the configuration file again when it changes, as at SIGHUP')
    .addHelpText('after', help)
    .action(async (options: Options, command: Command) => {
      if (options.watch && options.config === undefined) command.error('error: --watch needs --config')
      holdSignals()
      const source = { file: options.config, env: process.env, overrides: overridesOf(options) }
      // Loaded here, since help and wrong options need nothing of it.
      const { runGateway } = await import('./gateway/run-gateway.ts')
      process.exitCode = await runGateway(source, options.watch === true)
    })
}

const help = `
Examples:
  mqttsn gateway -c gateway.config.json
  mqttsn gateway --listen 127.0.0.1:1884 --broker 127.0.0.1:1883 --predefined 1=home/button
  mqttsn gateway --broker embedded --log-level debug

Flags win over environment variables (MQTTSN_BROKER__URL=...), and these over the file. Ctrl-C or SIGTERM stops the
gateway cleanly; a second one stops it at once. SIGHUP (mqttsn reload) loads the configuration again. Exit codes: 0 stopped, 1 could not start,
2 wrong usage, 70 ended by an unexpected error: to be started again.`

const append = (value: string, values: string[] = []): string[] => [...values, value]

function assign(value: string, values: Record<string, string> = {}): Record<string, string> {
  const parts = /^(\d+)=(.+)$/.exec(value)
  if (parts === null) throw new InvalidArgumentError('write it as id=topic, such as 1=home/button')
  return { ...values, [parts[1] as string]: parts[2] as string }
}

/** What the flags say, in the shape of the configuration. */
function overridesOf(options: Options): object {
  const { listen, broker, predefined, id, store, console, logLevel, logFormat } = options
  return {
    ...(listen && { listeners: listen.map((address) => ({ url: listenerOf(address) })) }),
    ...(broker !== undefined && { broker: { url: brokerUrlOf(broker) ?? broker } }),
    ...(predefined && { predefined }),
    ...(console === false && { console: { enabled: false } }),
    ...(typeof console === 'string' && { console: { url: urlOf(console, CONSOLE) ?? console } }),
    ...(store !== undefined && { store: storeOf(store) }),
    ...(id !== undefined && { gateway: { id: Number(id) } }),
    ...((logLevel !== undefined || logFormat !== undefined) && {
      log: { ...(logLevel && { level: logLevel }), ...(logFormat && { format: logFormat }) },
    }),
  }
}

// What is no address is left to the configuration, which says what it should be. Sensors are heard at numeric addresses.
const listenerOf = (address: string): string =>
  (urlOf(address, GATEWAY) ?? address).replace('//localhost:', '//127.0.0.1:')

// A flag is about the working directory, wherever the file is; a folder of that name is "./memory".
function storeOf(store: string): object {
  if (store === 'memory') return { type: 'memory' }
  if (/^postgres(ql)?:\/\//.test(store)) return { type: 'postgres', url: store }
  return { type: 'lmdb', path: store && resolve(store) }
}
