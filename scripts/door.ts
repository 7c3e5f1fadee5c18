// A door contact with a will, beside any MQTT-SN gateway: `npx tsx scripts/door.ts --help` tells the options.

import { runSimulation } from '../src/cli/sensor/run-simulation.ts'
import { door } from '../src/simulation/door.ts'

await runSimulation(door)
