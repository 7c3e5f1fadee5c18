// A simulated sensor as a command of its own: `mqttsn sensor KIND`, and each file of scripts/ when it is run directly.

import { Command } from 'commander'
import type { SensorTransport } from '../../sensor/udp.ts'
import { type Simulation, type SimulationEvent, simulate } from '../../simulation/simulation.ts'
import { addGatewayOptions, type SensorFlags, timeOption, withExitCodes } from '../options.ts'
import { type SecurityFlags, securityOf } from '../terminal/security.ts'
import { ExitCode, processTerminal, type Terminal } from '../terminal/terminal.ts'
import { openLineTransport, parseLink } from './line-transport.ts'

type SimulationFlags = Pick<SensorFlags, 'gateway' | 'clientId' | 'nodeId' | 'retry' | 'retries' | 'json'> &
  SecurityFlags & {
    duration?: number
    interval: number
    link?: string
  } & Record<string, unknown>

const ENDLESS = 'end after this time (default: at Ctrl-C)'

/** The command that runs one kind of simulated sensor until Ctrl-C or --duration. */
export function simulationCommand(simulation: Simulation, terminal: Terminal = processTerminal): Command {
  const { name, about, interval, duration, settings = {} } = simulation
  const command = addGatewayOptions(new Command(name))
    .description(about)
    .addOption(timeOption('--duration <time>', duration ? 'end after this time' : ENDLESS, duration))
    .addOption(timeOption('--interval <time>', 'time between two readings', interval))
    .option('--json', 'print what happens as JSON, one object per line')
  // a line has one peer; what stands for many sensors would need many lines
  if (!simulation.isMany)
    command.option('--link <url>', 'a serial or TCP line to the gateway, in place of UDP', parseLink)
  for (const [setting, { about: meaning, default: value }] of Object.entries(settings)) {
    command.option(`--${setting} <value>`, meaning, value)
  }
  command.addHelpText(
    'after',
    '\nExit code: 0 ended as asked, 1 it found something wrong, 2 usage, 3 no gateway answered.',
  )
  return withExitCodes(command, terminal).action(async (flags: SimulationFlags) => {
    const end = new AbortController()
    const stop = () => end.abort()
    terminal.interruption().addEventListener('abort', stop, { once: true })
    const timer = flags.duration === undefined ? undefined : setTimeout(stop, flags.duration)
    const print = flags.json ? toJson : toText
    const contact = new Contact(stop)
    const { clientId, nodeId, link, retry: tRetry, retries: nRetry } = flags
    const gateway = link ?? flags.gateway
    const { keys, ...security } = securityOf(flags, gateway, command, simulation.isMany)
    let transport: SensorTransport | undefined
    try {
      if (link !== undefined) transport = await openLineTransport(link)
      await simulate(simulation, {
        sensorOptions: {
          ...(transport === undefined ? { gateway } : { transport }),
          tRetry,
          nRetry,
          ...security,
          ...(clientId !== undefined && { clientId }),
          ...(nodeId !== undefined && { nodeId }),
        },
        pskOf: (identity) => keys.get(identity),
        interval: flags.interval,
        settings: Object.fromEntries(Object.keys(settings).map((key) => [key, String(flags[key])])),
        signal: end.signal,
        say(event) {
          terminal.out(print(event))
          contact.hear(event)
        },
      })
      const { missing, refusal } = contact
      if (refusal !== undefined) {
        terminal.err(`error: ${refusal}`)
        return terminal.exit(ExitCode.refused)
      }
      if (missing === undefined) return terminal.exit(ExitCode.ok)
      const other = link === undefined ? 'gateway' : 'link'
      terminal.err(`error: no gateway at ${gateway}: ${missing}; --${other} names another one`)
      terminal.exit(ExitCode.noAnswer)
    } catch (error) {
      terminal.err(`error: ${error instanceof Error ? error.message : error}`)
      terminal.exit(ExitCode.refused)
    } finally {
      transport?.close()
      clearTimeout(timer)
    }
  })
}

/** Whether the gateway ever answered: without one, a simulation would only wait. */
class Contact {
  #reached = false
  #why: string | undefined
  #refusal: string | undefined
  readonly #stop: () => void

  /** `stop` is called when it is clear that nobody is there. */
  constructor(stop: () => void) {
    this.#stop = stop
  }

  hear(event: SimulationEvent): void {
    if (event.type === 'received' || (event.type === 'state' && event.state === 'active'))
      this.#reached = true
    if (event.type === 'state' && event.state === 'connecting') this.#why ??= 'no answer'
    if (event.type !== 'note' || this.#reached) return
    if (event.code === 'rejected') this.#reached = true // somebody is there
    if (event.code === 'security') {
      this.#refusal = event.text
      this.#stop()
    }
    if (event.code !== 'timeout' && event.code !== 'transport') return
    this.#why = event.text.includes('ECONNREFUSED') ? 'nobody listens there' : event.text
    this.#stop()
  }

  /** Why gateway and sensor have no session of DTLS, if it never had one. */
  get refusal(): string | undefined {
    return this.#reached ? undefined : this.#refusal
  }

  /** Why it counts as not there; undefined if it is, or nothing was expected of it. */
  get missing(): string | undefined {
    return this.#reached ? undefined : this.#why
  }
}

/** Runs the simulation as the program that was started, with the options of the command line. */
export const runSimulation = async (simulation: Simulation): Promise<void> => {
  await simulationCommand(simulation).parseAsync()
}

function toText(event: SimulationEvent): string {
  switch (event.type) {
    case 'state':
      return `${event.sensor} is ${event.state}`
    case 'published':
      return `${event.sensor} published ${event.topic} ${Buffer.from(event.payload)} (QoS ${event.qos})`
    case 'received':
      return `${event.sensor} received ${event.topic} ${Buffer.from(event.payload)} (QoS ${event.qos})`
    case 'note':
      return `${event.sensor}: ${event.text}`
  }
}

function toJson(event: SimulationEvent): string {
  return JSON.stringify(
    'payload' in event ? { ...event, payload: String(Buffer.from(event.payload)) } : event,
  )
}
