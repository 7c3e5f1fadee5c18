// mqttsn forward: nodes on serial lines, radios, TCP or UDP reach a gateway elsewhere, encapsulated [5.5].

import { Command } from 'commander'
import { type ForwardFlags, overridesOf } from './forward/overrides.ts'
import { holdSignals } from './gateway/stop-signals.ts'
import { addSecurityOptions } from './terminal/security.ts'

/** Milliseconds after which nothing holds the process any more. */
const LINGER = 50

const help = `
Examples:
  mqttsn forward --from 'serial:///dev/ttyUSB0?framing=slip' --to gw.example
  mqttsn forward --from udp://0.0.0.0:1885 --to dtls://gw.example:8883 --psk-file psk.txt
  mqttsn forward --from udp://0.0.0.0:1885 --to gw.example --check
  mqttsn forward -c forward.json --metrics 127.0.0.1:9100

The gateway must name the forwarder: its address in "forwarders" of a listener, or with dtls:// its identity in "dtls.forwarders".
Flags win over environment variables (MQTTSN_FORWARD_TO__URL=...), and these over the file. A text may hold \${env:NAME} and \${file:path}.
Ctrl-C or SIGTERM stops it cleanly; a second one stops it at once.

Exit codes: 0 stopped, or with --check the gateway serves, 1 could not start or the gateway refuses it, 2 wrong usage, 4 with --check no gateway answers, 70 ended
by an unexpected error: to be started again.`

/**
 * The command `forward`. Exit codes: 0 stopped, or checked, 1 wrong configuration, start failed, or refused, 2 wrong usage, 4 no gateway
 * answers, 70 ended by an unexpected error.
 */
export function forwardCommand(): Command {
  const command = new Command('forward')
    .description('connect nodes on serial lines, radios, TCP or UDP to a gateway elsewhere')
    .option('-c, --config <file>', 'configuration file (JSON with comments, or YAML)')
    .option('-f, --from <url>', 'where nodes are, as a listener of the gateway has it; repeatable', append)
    .option('-t, --to <address>', 'the gateway: host, host:port, or dtls://host:port')
    .option(
      '--node <hex>',
      'id of the node on a wire (default: 01), or what is put before ids; one for each --from',
      append,
    )
    .option('--nested', 'encapsulate once more what is encapsulated already, instead of dropping it')
    .option(
      '--keepalive <time>',
      'ask so often whether the gateway is there (default: 25s, with dtls:// 60s)',
    )
    .option('--answer-search', 'answer SEARCHGW of nodes here while the gateway serves (default)')
    .option('--no-answer-search', 'pass them on to the gateway')
    .option('--local-port <number>', 'UDP port to send from (default: any)')
    .option('--metrics <address>', 'serve metrics and health there, such as 127.0.0.1:9100')
    .option('--check', 'check the configuration, ask the gateway whether it takes this forwarder, and end')
    .option('--log-level <level>', 'trace, debug, info, warn, error, fatal or silent')
    .option('--log-format <format>', 'pretty, json or auto')
  return addSecurityOptions(command)
    .addHelpText('after', help)
    .action(async (flags: ForwardFlags, called: Command) => {
      holdSignals()
      const source = { file: flags.config, env: process.env, overrides: overridesOf(flags, called) }
      // Loaded here, since help and wrong options need nothing of it.
      if (flags.check) {
        const { checkForwarder } = await import('./forward/check.ts')
        process.exitCode = await checkForwarder(source)
      } else {
        const { runForwarder } = await import('./forward/run-forwarder.ts')
        process.exitCode = await runForwarder(source)
      }
      // a question to a name server that is under way would hold the process for seconds
      setTimeout(() => process.exit(), LINGER).unref()
    })
}

const append = (value: string, values: string[] = []): string[] => [...values, value]
