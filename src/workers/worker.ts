// A worker thread: a whole gateway for its part of the sensors, whose datagrams come and go through the front.

import { parentPort, workerData } from 'node:worker_threads'
import { LeaseEnd } from '../cluster/lease-end.ts'
import { incrementCounter } from '../gateway/counters.ts'
import { Gateway } from '../gateway/gateway.ts'
import { loadStore } from '../gateway/open-store.ts'
import { rehearse } from '../gateway/rehearsal/rehearse.ts'
import { logSuspicion } from '../gateway/reports/suspicion.ts'
import { createSlotOf } from '../gateway/rules/naming.ts'
import type { Tenure } from '../gateway/tenure.ts'
import { createLog } from '../log.ts'
import { createHappenings } from '../monitor/happenings.ts'
import { createView, type OwnView } from '../monitor/view.ts'
import { allSlots, workerOfSlot } from '../sessions/slots.ts'
import { createSessions } from '../sessions/table.ts'
import type { Incarnation, StorePart } from '../store/part.ts'
import { Deposed } from '../store/store.ts'
import { MESSAGES } from '../transport/line/options.ts'
import { isLineUrl } from '../transport/line/url.ts'
import type { OnDatagram, Remote, Transport } from '../transport/transport.ts'
import { Batch, unpackBatch } from './between/batch.ts'
import { Outbox, Tally } from './between/outbox.ts'
import { channelsOf, idleRoom } from './lines/channel.ts'
import { WorkerRoom } from './lines/worker-room.ts'
import type { FromWorker, ToWorker, WorkerCalls, WorkerTask } from './messages.ts'
import { PeerTable } from './peer-table.ts'

if (parentPort === null) throw new Error('this file is the entry of a worker thread')
const port = parentPort
const task: WorkerTask = workerData
const { config, index } = task
const slotOf = createSlotOf(task.naming)
const tally = new Tally(task.tally)
const byPeer = new PeerTable(slotOf)
const outbox = new Outbox(tally, 'toFront', (batch, datagrams) =>
  tell({ type: 'datagrams', batch, count: datagrams, ...byPeer.take() }, batch),
)
byPeer.onChange = () => outbox.plan()
const returned = new Batch()

const tellDeposed = ({ message }: Error): void => tell({ type: 'deposed', why: message })

function tell(message: FromWorker, batch?: Uint8Array<ArrayBuffer>): void {
  port.postMessage(message, batch === undefined ? [] : [batch.buffer])
}

// Text for people goes through the first thread, which has the terminal; this thread writes lines for machines itself.
const forPeople = task.terminal.isTTY || config.log.format === 'pretty'
const terminal = {
  isTTY: task.terminal.isTTY,
  hasColors: () => task.terminal.colors,
  write: (line: string) => process.stdout.write(line),
}
const log = createLog(config.log, forPeople ? terminal : undefined).child({ worker: index + 1 })

const receivers: OnDatagram[] = []

const rooms = new WorkerRoom(
  task.urls.map(channelsOf),
  config.listeners.map(({ pace }) => Math.ceil(idleRoom(pace?.messages ?? MESSAGES) / task.count)),
)

/** A listener whose socket the front has: datagrams come in batches, and leave in batches. */
function listen(listener: number, onDatagram: OnDatagram): Transport {
  receivers[listener] = onDatagram
  const send = (bytes: Uint8Array, remote: Remote) => {
    if (!outbox.add(listener, remote, bytes)) {
      incrementCounter(gateway.status().counters.dropped, 'overloaded')
    } else rooms.noteSent(listener, remote)
  }
  const url = task.urls[listener] ?? ''
  const transport: Transport = {
    url,
    send,
    broadcast: (bytes, radius) => send(bytes, { address: '', port: radius }),
    stats: () => ({ receiveBuffer: 0, receiveBufferAsked: 0, kernelDrops: undefined, sendErrors: 0 }),
    close: async () => {},
  }
  if (!isLineUrl(url)) return transport
  return {
    ...transport,
    room: (remote) => (remote ? rooms.of(listener, remote) : Number.POSITIVE_INFINITY),
    get longest() {
      return rooms.longestOf(listener)
    },
  }
}

const stored: StorePart & { taken: Incarnation | undefined } = {
  index,
  count: task.count,
  owns: (clientId) => workerOfSlot(slotOf(clientId), task.count) === index,
  taken: undefined,
}

const leaseEnd = task.lease && new LeaseEnd(task.lease)
/** they wait to hear that the sensors are those of this process */
const unconfirmed: (() => void)[] = []
const tenure: Tenure | undefined = leaseEnd && {
  get taken() {
    return stored.taken
  },
  holds: () => leaseEnd.holds(),
  confirm: () =>
    new Promise((resolve) => {
      unconfirmed.push(() => resolve(true))
      if (unconfirmed.length === 1) tell({ type: 'confirm' })
    }),
  suspect() {
    if (leaseEnd.suspend()) logSuspicion(log)
  },
}

const gateway = new Gateway(config, {
  log,
  onDeposed: tellDeposed,
  tenure,
  share: {
    speaks: index === 0,
    sessions: { ...createSessions(), byPeer },
    stored,
    slots: allSlots.filter((slot) => workerOfSlot(slot, task.count) === index),
    slotOf,
    listen,
    giveBack(listener, bytes, remote, age) {
      outbox.flush() // that its sensor is not here any more comes first
      returned.add(listener, remote, bytes)
      tell({ type: 'returned', batch: returned.take(), age })
    },
  },
})

byPeer.writing = gateway.writing

let view: OwnView | undefined
const watched = new Map<number, () => void>()
let endHappenings = () => {}

function openedView(): OwnView {
  if (view === undefined) throw new Error('the view is not open')
  return view
}

const calls: WorkerCalls = {
  async prepare(slots, taken) {
    stored.taken = taken
    await gateway.prepare(slots).catch((error: unknown) => {
      if (error instanceof Deposed) tellDeposed(error)
      throw error
    })
    outbox.flush() // the front must know the addresses of all sensors before it routes what they send
  },
  async rehearse() {
    await Promise.all([loadStore(config), rehearse(config, log)])
  },
  serve: () => gateway.serve(),
  async adopt(slots) {
    await gateway.adopt(slots)
    outbox.flush() // as above
  },
  async release(slots, how) {
    await gateway.release(slots, how)
    outbox.flush() // the front must have what was said to sensors, and that they are not here any more
  },
  async stop() {
    await gateway.stop()
    view?.close()
    outbox.flush()
    return gateway.status().counters
  },
  reload: (next) => gateway.reload(next),
  openView(labels) {
    const happenings = createHappenings(`${index + 1}-`)
    view = createView(gateway, config, task.version, { happenings, labels })
    view.onChange((change) => tell({ type: 'change', change }))
  },
  info: () => openedView().info(),
  broker: () => openedView().broker(),
  store: () => openedView().store(),
  sensors: (query) => openedView().sensors(query),
  sensor: (clientId) => openedView().sensor(clientId),
  refusals: () => openedView().refusals(),
  happenings: (query) => openedView().happenings(query),
  drops: (reason) => openedView().drops(reason),
  topics: (query) => openedView().topics(query),
  deadLetters: (query) => openedView().deadLetters(query),
  label: (clientId, label) => openedView().label(clientId, label),
  tellHappenings(wanted) {
    endHappenings()
    endHappenings = wanted
      ? openedView().onHappenings((batch) => tell({ type: 'happenings', batch }))
      : () => {}
  },
  act: (clientId, action) => openedView().act(clientId, action),
  latency: () => openedView().latency(),
  watch(watcher, clientId) {
    const report = openedView().watch(clientId, (packet) => tell({ type: 'packet', watcher, packet }))
    watched.set(watcher, report)
  },
  watchBroker(watcher, clientId) {
    const report = openedView().watchBroker(clientId, (step) => tell({ type: 'step', watcher, step }))
    watched.set(watcher, report)
  },
  unwatch(watcher) {
    watched.get(watcher)?.()
    watched.delete(watcher)
  },
}

async function answer({ id, name, args }: Extract<ToWorker, { type: 'call' }>): Promise<void> {
  try {
    const call = calls[name] as (...args: readonly unknown[]) => unknown
    tell({ type: 'answer', id, value: await call(...args) })
  } catch (error) {
    tell({ type: 'failure', id, message: error instanceof Error ? error.message : String(error) })
  }
}

port.on('message', (message: ToWorker) => {
  if (message.type === 'datagrams') {
    tally.add('toWorker', message.count)
    unpackBatch(message.batch, (listener, remote, bytes) => receivers[listener]?.(bytes, remote))
  } else if (message.type === 'displaced') {
    gateway.displace(message.binding.key, message.binding.clientId)
  } else if (message.type === 'confirmed') {
    for (const told of unconfirmed.splice(0)) told()
  } else if (message.type === 'room') rooms.learn(message)
  else void answer(message)
})

// An error that nobody has caught ends this thread. The first thread logs it and starts another one.
