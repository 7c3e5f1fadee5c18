// A second opinion on datagrams: what tshark reads in them.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CapturedDatagram, pcapOf } from './pcap.ts'

const FIELDS = [
  '_ws.malformed',
  '_ws.col.Info',
  'mqttsn.msg.type',
  'mqttsn.msg.len',
  'mqttsn.msg.id',
  'mqttsn.topic.id.type',
  'mqttsn.topic.id',
  'mqttsn.topic.name.or.id',
  'mqttsn.topic',
  'mqttsn.return.code',
  'mqttsn.client.id',
  'mqttsn.protocol.id',
  'mqttsn.keep.alive',
  'mqttsn.sleep.timer',
  'mqttsn.will',
  'mqttsn.clean.session',
  'mqttsn.will.topic',
  'mqttsn.will.msg',
  'mqttsn.qos',
  'mqttsn.dup',
  'mqttsn.retain',
  'mqttsn.pub.msg',
  'mqttsn.gw.id',
  'mqttsn.adv.interv',
  'mqttsn.radius',
  'mqttsn.wireless.node.id',
  'mqttsn.control.info',
] as const

/** A field's name in tshark. */
export type Field = (typeof FIELDS)[number]
/** What it reads in one datagram; '' = no such field; both values with a comma between in encapsulated messages. */
export type Reading = Readonly<Record<Field, string>>

/** whether it is installed here */
export const haveTshark = (() => {
  try {
    return execFileSync('tshark', ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] }).length > 0
  } catch {
    return false
  }
})()

const outputOptions = (port: number): string[] => [
  ...['-d', `udp.port==${port},mqttsn`, '-T', 'fields'],
  ...FIELDS.flatMap((field) => ['-e', field]),
]

function readingOf(line: string): Reading {
  const cells = line.split('\t')
  return Object.fromEntries(FIELDS.map((field, index) => [field, cells[index] ?? ''])) as Reading
}

/** Lets tshark read datagrams to and from this port. */
export function dissect(datagrams: readonly CapturedDatagram[], port: number): Reading[] {
  const directory = mkdtempSync(join(tmpdir(), 'capture-'))
  try {
    const file = join(directory, 'capture.pcap')
    writeFileSync(file, pcapOf(datagrams))
    const text = execFileSync('tshark', ['-r', file, ...outputOptions(port)], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return text.toString().trimEnd().split('\n').map(readingOf)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** A live capture on the loopback interface. */
export interface Capture {
  readonly readings: Reading[]
  /** whether it still runs: it ends at once where the rights for it are missing */
  readonly running: boolean
  close(): Promise<void>
}

/** Starts a live capture of a UDP port; what was sent before its first reading may be missing. */
export function capture(port: number): Capture {
  const filter = ['-i', 'lo', '-l', '-f', `udp port ${port}`]
  const child: ChildProcess = spawn('tshark', [...filter, ...outputOptions(port)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const readings: Reading[] = []
  let rest = ''
  let running = true
  child.stdout?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    readings.push(...lines.map(readingOf))
  })
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('exit', () => resolve())
  }).then(() => {
    running = false
  })
  return {
    readings,
    get running() {
      return running
    },
    close() {
      child.kill('SIGTERM')
      return ended
    },
  }
}
