// A thermometer at QoS 0, beside any MQTT-SN gateway: `npx tsx scripts/thermometer.ts --help` tells the options.

import { runSimulation } from '../src/cli/sensor/run-simulation.ts'
import { thermometer } from '../src/simulation/thermometer.ts'

await runSimulation(thermometer)
