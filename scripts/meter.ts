// An electricity meter at QoS 2, beside any MQTT-SN gateway: `npx tsx scripts/meter.ts --help` tells the options.

import { runSimulation } from '../src/cli/sensor/run-simulation.ts'
import { meter } from '../src/simulation/meter.ts'

await runSimulation(meter)
