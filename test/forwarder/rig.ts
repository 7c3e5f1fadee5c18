// A forwarder's core in virtual time: octets in hex go in, effects come out.

import type { ForwardEffect, ForwardTurn } from '../../src/forwarder/effects.ts'
import { Forwarder, type ForwarderOptions, type ForwardLink } from '../../src/forwarder/forwarder.ts'
import { fromHex, toHex } from '../codec/vectors.ts'

/** What came of one call, shortly: `gateway 03..`, `node 0 10.0.0.1:5000 02..`, `all 0 r1 02..`, `serving 7`, `renew`. */
const shown = (effect: ForwardEffect): string => {
  switch (effect.type) {
    case 'toGateway':
      return `gateway ${toHex(effect.bytes)}`
    case 'toNode':
      return `node ${effect.link} ${effect.remote.address}:${effect.remote.port} ${toHex(effect.bytes)}`
    case 'toAllNodes':
      return `all ${effect.link} r${effect.radius} ${toHex(effect.bytes)}`
    case 'standing':
      return `${effect.standing} ${effect.gwId ?? '-'}`
    default:
      return effect.type
  }
}

export const wire = (node = '01', more: Partial<ForwardLink> = {}): ForwardLink => ({
  kind: 'wire',
  node: fromHex(node),
  unheard: { address: `/dev/${node}`, port: 0 },
  longest: () => 1472,
  room: () => Number.POSITIVE_INFINITY,
  ...more,
})

export const many = (more: Partial<ForwardLink> = {}): ForwardLink => ({
  ...wire(''),
  kind: 'many',
  unheard: undefined,
  ...more,
})

export class Rig {
  now = 0
  readonly core: Forwarder

  constructor(links: readonly ForwardLink[], options: Partial<ForwarderOptions> = {}) {
    this.core = new Forwarder({
      links,
      longest: 1472,
      nested: false,
      answerSearch: true,
      keepalive: 25_000,
      ...options,
    })
  }

  /** One that has a way to a gateway with GwId 7, which serves. */
  static serving(links: readonly ForwardLink[], options: Partial<ForwarderOptions> = {}): Rig {
    const rig = new Rig(links, options)
    rig.open()
    rig.hear('030207')
    rig.hear('06fe03006677030207')
    return rig
  }

  open(): string[] {
    return this.do((turn) => this.core.watch.onOpen(turn))
  }

  /** From a node. */
  node(hex: string, from = '/dev/01:0', link = 0): string[] {
    const at = from.lastIndexOf(':')
    const remote = { address: from.slice(0, at), port: Number(from.slice(at + 1)) }
    return this.do((turn) => this.core.fromNode(link, fromHex(hex), remote, turn))
  }

  /** From the gateway. */
  hear(hex: string): string[] {
    return this.do((turn) => this.core.fromGateway(fromHex(hex), turn))
  }

  /** Lets time pass, with everything that is due in it. */
  pass(milliseconds: number): string[] {
    const until = this.now + milliseconds
    const all: string[] = []
    for (let steps = 0; this.core.due() <= until; steps++) {
      if (steps > 10_000) throw new Error('it never comes to rest')
      this.now = Math.max(this.now, this.core.due())
      all.push(...this.do((turn) => this.core.tick(turn)))
    }
    this.now = until
    return all
  }

  do(step: (turn: ForwardTurn) => void): string[] {
    const turn: ForwardTurn = { now: this.now, out: [] }
    step(turn)
    return turn.out.map(shown)
  }
}
