// Looks a sensor up in a running gateway; where there is none, names those that may have been meant.

import type { SensorDetail, SensorSummary } from '../../console/contract/sensors.ts'
import { ExitCode } from '../terminal/terminal.ts'
import { askJson, escapeControls, LiveError, type LiveFlags } from './api.ts'

/** The sensor as it is now; undefined if the gateway does not know it and `wait` is set, else that rejects. */
export async function findSensor(
  clientId: string,
  flags: LiveFlags & { wait?: true },
  signal: AbortSignal,
): Promise<SensorDetail | undefined> {
  const id = encodeURIComponent(clientId)
  try {
    return await askJson<SensorDetail>(flags, `/api/sensors/${id}`, signal)
  } catch (error) {
    if (!(error instanceof LiveError) || error.status !== 404) throw error
  }
  if (flags.wait) return undefined
  const path = `/api/sensors?search=${id}&limit=5`
  const similar = await askJson<{ items: SensorSummary[] }>(flags, path, signal)
  const names = similar.items.map((sensor) => escapeControls(sensor.clientId)).join(', ')
  const hint = names === '' ? '--wait waits for it' : `there is ${names}`
  throw new LiveError(ExitCode.refused, `the gateway knows no sensor ${escapeControls(clientId)}; ${hint}`)
}
