// Which worker of a fleet has a sensor.

import { createSlotOf, type Naming } from '../../src/gateway/rules/naming.ts'
import { slotOfName, workerOfSlot } from '../../src/sessions/slots.ts'

/** The number of the worker, of so many, of a name at the broker, or of the address of a stranger. */
export const workerOfName = (name: string, workers: number): number => workerOfSlot(slotOfName(name), workers)

/** The number of the worker, of so many, of a sensor. */
export function createOwners(naming: Naming, workers: number): (clientId: string) => number {
  const slotOf = createSlotOf(naming)
  return (clientId) => workerOfSlot(slotOf(clientId), workers)
}
