// `mqttsn discover`: asks for MQTT-SN gateways and listens for their advertisements [6.1].

import { Command } from 'commander'
import { hex } from '../codec/v1/describe.ts'
import { type DiscoverOptions, discover, type FoundGateway } from '../sensor/sensor.ts'
import { between, count, timeOption, withExitCodes } from './options.ts'
import { addressParser, LINK, urlOf } from './terminal/addresses.ts'
import { addSecurityOptions, type SecurityFlags, securityOf } from './terminal/security.ts'
import { ExitCode, processTerminal, reportFailure, type Terminal } from './terminal/terminal.ts'

const EXAMPLES = `
Exit code: 0 found at least one gateway, 2 usage, 3 found none.

Examples:
  $ mqttsn discover
  $ mqttsn discover --group 255.255.255.255 --port 1884 --timeout 2s
  $ mqttsn discover -h 192.168.1.10
  $ mqttsn discover -h dtls://192.168.1.10:8883 --psk-file psk.txt
`

interface DiscoverFlags extends SecurityFlags {
  group?: string
  host?: string
  port?: number
  unicast?: string
  timeout: number
  radius: number
  json?: true
}

/** The command `discover`, to be added to the program. */
export function discoverCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('discover')
    .description('find MQTT-SN gateways')
    .option('--group <address>', 'multicast group or broadcast address (default: 225.1.1.1)')
    .option('-h, --host <name>', 'ask this host, not a group')
    .option(
      '-p, --port <port>',
      'UDP port of the group, or of the host (default: 1883, or 1884)',
      between(1, 65_535),
    )
    .option('--unicast <address>', 'host and port in one, or dtls://host:port', addressParser(LINK))
    .helpOption('--help', 'display help for command')
    .addOption(timeOption('--timeout <time>', 'listen so long', 5000))
    .option('--radius <hops>', 'how far the question goes, 0 = the whole network', count, 0)
    .option('--json', 'print one JSON object per gateway')
    .addHelpText('after', EXAMPLES)
  return withExitCodes(addSecurityOptions(command), terminal).action(async (flags: DiscoverFlags) => {
    const print = flags.json ? toJson : toText
    const { group, host, port = host === undefined ? 1883 : 1884, timeout } = flags
    if (host !== undefined && flags.unicast !== undefined)
      command.error('error: give --unicast, or --host and --port', { exitCode: ExitCode.usage })
    const asked = host === undefined ? flags.unicast : urlOf(host, LINK)
    const given =
      host === undefined || flags.port === undefined ? asked : asked?.replace(/:\d+$|$/, `:${flags.port}`)
    if (host !== undefined && given === undefined)
      command.error(`error: --host: expected a name or an address, got '${host}'`, {
        exitCode: ExitCode.usage,
      })
    const unicast = given
    const { keys: _, ...security } = securityOf(flags, unicast ?? '', command)
    const options: DiscoverOptions = {
      ...security,
      ...(group !== undefined && { group }),
      ...(unicast !== undefined && { unicast }),
      port,
      timeout,
      radius: Math.min(flags.radius, 255),
      signal: terminal.interruption(),
      onFound: (gateway) => terminal.out(print(gateway)),
    }
    try {
      const found = await discover(options)
      if (found.length === 0) terminal.err('no gateway answered')
      terminal.exit(found.length === 0 ? ExitCode.noAnswer : ExitCode.ok)
    } catch (error) {
      reportFailure(terminal, error, flags.json === true)
    }
  })
}

function toText({ gwId, url, via, duration, gwAdd }: FoundGateway): string {
  const next = via === 'advertise' ? `, next ADVERTISE within ${duration} s` : ''
  const relayed = gwAdd.length > 0 ? `, told by a sensor, GwAdd ${hex(gwAdd)}` : ''
  return `gateway ${gwId} at ${url} (${via}${next}${relayed})`
}

function toJson(gateway: FoundGateway): string {
  return JSON.stringify({ ...gateway, gwAdd: hex(gateway.gwAdd) })
}
