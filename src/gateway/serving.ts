// What a gateway serves with, from the moment when its listeners are bound: the store, the broker, turns, and whose sensors it has.

import { isShared } from '../config/cluster/section.ts'
import type { Config } from '../config/schema.ts'
import { receive } from '../sessions/door.ts'
import { turnAway } from '../sessions/overload.ts'
import { allSlots } from '../sessions/slots.ts'
import { receiveWithoutStore } from '../sessions/store-failure.ts'
import type { Store } from '../store/store.ts'
import { dropForeignRecords } from '../transport/dtls/session-records.ts'
import { requireLocalAddresses } from '../upstream/probe/local-addresses.ts'
import type { Datagram, DatagramHandler } from './datagrams/intake.ts'
import type { ReceptionBooks } from './datagrams/reception.ts'
import { createTake } from './datagrams/take-datagram.ts'
import { MANY_HELD } from './effects/commit-gate.ts'
import { createTransmitter, type Transmitter, type TransmitterParts } from './effects/transmit.ts'
import type { Observers } from './observer.ts'
import { type OpenedBroker, openBroker } from './open-broker.ts'
import { closeStore, createBearings, isDurable, openStore, secureNames, storePartOf } from './open-store.ts'
import { Ownership } from './ownership.ts'
import { createSlotOf, namingOf } from './rules/naming.ts'
import type { Tenure } from './tenure.ts'
import { createTurns, type Turns, type TurnsParts } from './turns.ts'
import type { WorkerShare } from './worker-share.ts'

/** What a gateway has before. */
export interface ServingParts
  extends Omit<TransmitterParts, 'upstream'>,
    Omit<TurnsParts, 'store' | 'upstream' | 'transmitter' | 'log' | 'counters' | 'observers'> {
  /** instead of the one that the configuration names */
  readonly store: Store | undefined
  readonly share: WorkerShare | undefined
  readonly observers: Observers
  readonly books: ReceptionBooks
  /** other processes are ready to serve the same sensors */
  readonly tenure: Tenure | undefined
}

export interface Serving {
  readonly store: Store
  readonly broker: OpenedBroker
  readonly transmitter: Transmitter
  readonly turns: Turns
  readonly ownership: Ownership
  /** what is done with datagrams */
  readonly handler: DatagramHandler
  /** Whether it is the one of all gateways and threads that speaks for the whole: says its status, and advertises it. */
  speaks(): boolean
}

/** Whoever serves this slot speaks for all nodes that each serve a share. */
const SPEAKER = 0

/** The slots that a gateway may serve: all, unless others share them with it. */
export const slotsOf = (share: WorkerShare | undefined): readonly number[] => share?.slots ?? allSlots

/** Opens store and broker; no sessions yet. Rejects, with nothing left open, if one of them cannot be used (StoreError). */
export async function openServing(parts: ServingParts): Promise<Serving> {
  const { config, log, share, tenure, listeners, sessions, rules, books } = parts
  const slotOf = share?.slotOf ?? createSlotOf(namingOf(config))
  const store = parts.store ?? (await openStore(config, log, slotOf, storePartOf(share, tenure)))
  try {
    beginSecureLinks(config, store, parts)
    await requireLocalAddresses(config.broker.localAddresses)
    const broker = await openBroker(config, log, books, store, share, tenure)
    rules.reserve(broker.ownNames)
    const { upstream } = broker
    const transmitter = createTransmitter({ ...parts, upstream })
    const turns = createTurns({ ...parts, store, upstream, transmitter })
    const take = createTake({ ...parts, turns })
    const bearings = createBearings(listeners.values(), store, tenure)
    const slots = slotsOf(share)
    const handle = (...datagram: Datagram) =>
      take(store.isFailing ? receiveWithoutStore : receive, ...datagram)
    const ownership = new Ownership({
      giveBack: share && (([{ index }, ...datagram], age) => share.giveBack(index, ...datagram, age)),
      hold: config.cluster?.hold,
      sessions,
      store,
      turns,
      bearings,
      slots,
      slotOf,
      books,
      log,
      handle,
    })
    const handler: DatagramHandler = {
      isBehind: () => turns.held > MANY_HELD,
      handle: (...datagram) => ownership.check.admits(...datagram) && handle(...datagram),
      turnAway: (...datagram) => ownership.check.admits(...datagram) && take(turnAway, ...datagram),
    }
    const isOneOfSeveral = isShared(config)
    const speaks = () => share?.speaks !== false && (!isOneOfSeveral || ownership.servesSlot(SPEAKER))
    return { store, broker, transmitter, turns, ownership, handler, speaks }
  } catch (error) {
    await closeStore(store, log)
    throw error
  }
}

/** Links with sessions of their own begin to serve; those of the last time go on where the store is durable. */
function beginSecureLinks(config: Config, store: Store, { listeners, share }: ServingParts): void {
  for (const { transport } of listeners.values())
    transport.secure?.begin(isDurable(config) ? store : undefined)
  if (share === undefined) dropForeignRecords(store, secureNames(config))
}
