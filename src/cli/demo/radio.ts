// The demo's radio: a simulated XBee network with losses, at a line of the gateway.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RadioNode } from '../../simulation/radio/node.ts'
import { serveRadio, serveRadioOnPty } from '../../simulation/radio/run-radio.ts'
import { XbeeNetwork } from '../../simulation/radio/xbee-network.ts'

/** The radio while the demo runs. */
export interface DemoRadio {
  /** of the gateway's listener */
  readonly url: string
  /** what it is, in words */
  readonly about: string
  /** a node for a sensor, by its number */
  node(number: number): RadioNode
  close(): Promise<void>
}

const LOSS = 0.05

/** Starts it: on a pseudo terminal where `socat` can make one, else behind TCP. */
export async function startRadio(): Promise<DemoRadio> {
  const clock = () => performance.now()
  const network = new XbeeNetwork({ clock, random: Math.random, loss: LOSS, moves: 0.02 })
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-demo-'))
  const onPty = await serveRadioOnPty(network, join(folder, 'xbee'))
  const radio = onPty ?? (await serveRadio(network))
  const about = `a simulated XBee network at 9,600 baud, of whose messages ${LOSS * 100} % are lost`
  return {
    url: onPty ? `xbee://${radio.place}?flow=none` : `tcp://${radio.place}?framing=xbee`,
    about: onPty ? about : `${about}; behind TCP, as there is no "socat" to make a serial line`,
    node: (number) => network.node(`0013a20041${number.toString(16).padStart(6, '0')}`),
    async close() {
      await radio.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
