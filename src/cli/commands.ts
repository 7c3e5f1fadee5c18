// All commands in the order of the help, each loaded when it is called: what the help of all needs to know of them stands here.

import type { Command } from 'commander'

/** One command. */
export interface CommandEntry {
  /** its description */
  readonly about: string
  /** its arguments, as the help shows them */
  readonly takes?: string
  load(): Promise<Command>
}

const loadAll = (): Promise<Command[]> => Promise.all(Object.values(commands).map(({ load }) => load()))

/** By their names. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  gateway: {
    about: 'run the gateway',
    load: async () => (await import('./gateway.ts')).gatewayCommand(),
  },
  init: {
    about: 'write a configuration with comments, from answers or options',
    takes: '[file]',
    load: async () => (await import('./init.ts')).initCommand(),
  },
  check: {
    about: 'check a configuration and show what would be in effect, without starting anything',
    load: async () => (await import('./check.ts')).checkCommand(),
  },
  import: {
    about: 'turn the configuration of another MQTT-SN gateway into one of this gateway',
    takes: 'paho|bisquitt|emqx|hivemq-edge',
    load: async () => (await import('./import.ts')).importCommand(),
  },
  reload: {
    about: 'have a running gateway load its configuration again',
    load: async () => (await import('./reload.ts')).reloadCommand(),
  },
  store: {
    about: 'list, back up and restore the sessions that a gateway keeps on disk',
    takes: 'list|backup|restore',
    load: async () => (await import('./store.ts')).storeCommand(),
  },
  forward: {
    about: 'connect nodes on serial lines, radios, TCP or UDP to a gateway elsewhere',
    load: async () => (await import('./forward.ts')).forwardCommand(),
  },
  demo: {
    about: 'show the gateway at work: embedded broker, simulated sensors, everything live',
    load: async () => (await import('./demo.ts')).demoCommand(),
  },
  pub: {
    about: 'publish messages as an MQTT-SN sensor',
    load: async () => (await import('./pub.ts')).pubCommand(),
  },
  sub: {
    about: 'subscribe as an MQTT-SN sensor and print what arrives',
    load: async () => (await import('./sub.ts')).subCommand(),
  },
  discover: {
    about: 'find MQTT-SN gateways',
    load: async () => (await import('./discover.ts')).discoverCommand(),
  },
  decode: {
    about: 'explain MQTT-SN datagrams: every field with its octets and its meaning',
    takes: '[hex...]',
    load: async () => (await import('./decode.ts')).decodeCommand(),
  },
  health: {
    about: 'ask a running gateway whether it is ready',
    load: async () => (await import('./health.ts')).healthCommand(),
  },
  psk: {
    about: 'make keys that sensors share with their gateway, for DTLS',
    takes: 'new',
    load: async () => (await import('./psk.ts')).pskCommand(),
  },
  top: {
    about: 'watch a running gateway: broker, traffic, sensors',
    load: async () => (await import('./top.ts')).topCommand(),
  },
  trace: {
    about: "follow one sensor's conversation with a running gateway",
    takes: '<client-id>',
    load: async () => (await import('./trace.ts')).traceCommand(),
  },
  capture: {
    about: 'record datagrams of a running gateway for Wireshark',
    load: async () => (await import('./capture.ts')).captureCommand(),
  },
  sensor: {
    about: 'run a simulated sensor',
    takes: '[kind]',
    load: async () => (await import('./sensor.ts')).sensorCommand(),
  },
  completion: {
    about: 'print what makes a shell complete these commands',
    takes: '<shell>',
    load: async () => (await import('./completion.ts')).completionCommand(loadAll),
  },
}
