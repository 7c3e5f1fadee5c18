// A program for a network with few ports: so many sensors connect, from these addresses; what came of it is written as JSON.

import { startScriptedBroker } from '../support/scripted.ts'
import { connectOptions, Rig } from './harness.ts'

const [sensors = '1', ...localAddresses] = process.argv.slice(2)
const lines: object[] = []
const note = (fields: object, text: string): void => void lines.push({ text, fields })
const ignore = (): void => undefined

const pause = () => new Promise((resolve) => setTimeout(resolve, 2))
const broker = await startScriptedBroker(undefined, 7000) // beyond those of connections
const rig = new Rig(broker, { localAddresses, log: { debug: ignore, info: ignore, warn: note, error: note } })
while (!rig.upstream.healthy) await pause()
const details: string[] = []
for (let i = 0; i < Number(sensors); i++) {
  const sensor = rig.sensor()
  sensor.connection.connect(connectOptions(`sensor-${i}`))
  while (sensor.events.length === 0) await pause()
  for (const event of sensor.events) if (event.type === 'refused') details.push(event.detail)
}
const { connected, portless } = rig.upstream.stats()
process.stdout.write(JSON.stringify({ connected, portless, details, lines }), () => process.exit(0))
