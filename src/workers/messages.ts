// What threads say to each other. Types only.

import type { Config } from '../config/schema.ts'
import type { HappeningBatch } from '../console/contract/happenings.ts'
import type { BrokerStep, StateChange, WatchedPacket } from '../console/contract/live.ts'
import type { SensorLabel } from '../console/contract/sensors.ts'
import type { Action, GatewayView, Immediate } from '../console/view.ts'
import type { Counters } from '../gateway/counters.ts'
import type { Naming } from '../gateway/rules/naming.ts'
import type { ReloadReport } from '../gateway/rules/reload.ts'
import type { PeerKey } from '../session/peers.ts'
import type { Leaving } from '../sessions/ownership/let-go.ts'
import type { Incarnation } from '../store/part.ts'
import type { LineRoom } from './lines/channel.ts'

/** What a worker is started with. */
export interface WorkerTask {
  readonly index: number
  readonly count: number
  /** what decides which worker has a sensor */
  readonly naming: Naming
  /** its part of it */
  readonly config: Config
  /** the addresses in use, of all listeners */
  readonly urls: readonly string[]
  readonly tally: SharedArrayBuffer
  /** until when this process may serve; undefined where no other one is ready to */
  readonly lease: SharedArrayBuffer | undefined
  readonly version: string
  /** how lines of the log look */
  readonly terminal: { readonly isTTY: boolean; readonly colors: boolean }
}

/** A sensor is at this address now. */
export interface Binding {
  readonly key: PeerKey
  readonly clientId: string
  /** of the sensor */
  readonly slot: number
  /** the gateway's own address that it speaks to; see `Remote` */
  readonly local: string | undefined
}

type Told<Name extends keyof GatewayView> = ReturnType<Required<Immediate<GatewayView>>[Name]>

/** What a worker can be asked to do. */
export interface WorkerCalls {
  /**
   * the two halves of a start; `slots`: those to begin with; `taken`: as whom the store was taken, if that is on a database
   * server
   */
  prepare(slots: readonly number[], taken: Incarnation | undefined): Promise<void>
  /** what comes after the first half, or before it where that has to be quick */
  rehearse(): Promise<void>
  serve(): void
  /** takes up slots of its part, and lets go of them: `Gateway.adopt` and `release` */
  adopt(slots: readonly number[]): Promise<void>
  release(slots: readonly number[], how: Leaving): Promise<void>
  /** ends everything, and resolves to what was counted when the last datagram is on its way */
  stop(): Promise<Counters>
  reload(config: Config): ReloadReport
  /** begins to look at sensors; before it, the rest below cannot be asked */
  openView(labels: readonly (readonly [string, SensorLabel])[]): void
  info(): Told<'info'>
  broker(): Told<'broker'>
  store(): Told<'store'>
  sensors(query: Parameters<GatewayView['sensors']>[0]): Told<'sensors'>
  sensor(clientId: string): Told<'sensor'>
  refusals(): Told<'refusals'>
  happenings(query: Parameters<GatewayView['happenings']>[0]): Told<'happenings'>
  drops(reason: string | undefined): Told<'drops'>
  topics(query: Parameters<GatewayView['topics']>[0]): Told<'topics'>
  deadLetters(query: Parameters<GatewayView['deadLetters']>[0]): Told<'deadLetters'>
  label(clientId: string, label: SensorLabel | undefined): boolean
  /** begins or ends to report what happens */
  tellHappenings(wanted: boolean): void
  act(clientId: string, action: Action): boolean
  latency(): Told<'latency'>
  /** begins to report packets under this number */
  watch(watcher: number, clientId: string | undefined): void
  unwatch(watcher: number): void
  /** the same for the steps between gateway and broker of one sensor */
  watchBroker(watcher: number, clientId: string): void
}

/** To a worker. */
export type ToWorker =
  | { readonly type: 'datagrams'; readonly batch: Uint8Array; readonly count: number }
  | { readonly type: 'displaced'; readonly binding: Binding }
  | ({ readonly type: 'room' } & LineRoom)
  /** they are; if not, nothing is said any more */
  | { readonly type: 'confirmed' }
  | {
      readonly type: 'call'
      readonly id: number
      readonly name: keyof WorkerCalls
      readonly args: readonly unknown[]
    }

/** From a worker. Bindings come before the datagrams that follow from them. */
export type FromWorker =
  | {
      readonly type: 'datagrams'
      readonly batch: Uint8Array
      readonly count: number
      readonly bound: readonly Binding[]
      readonly unbound: readonly PeerKey[]
    }
  /** a datagram whose slot has left before it was handled; `age`: for how long it counts as held, milliseconds */
  | { readonly type: 'returned'; readonly batch: Uint8Array; readonly age: number }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly message: string }
  | { readonly type: 'deposed'; readonly why: string }
  /** somebody else has opened the connection of a sensor: are the sensors still those of this process? */
  | { readonly type: 'confirm' }
  | { readonly type: 'change'; readonly change: StateChange }
  | { readonly type: 'happenings'; readonly batch: HappeningBatch }
  | { readonly type: 'step'; readonly watcher: number; readonly step: BrokerStep }
  | { readonly type: 'packet'; readonly watcher: number; readonly packet: WatchedPacket }
