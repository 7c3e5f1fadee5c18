// Every kind of simulated sensor, for `mqttsn sensor` and the demo.

import { button } from './button.ts'
import { door } from './door.ts'
import { forwarded } from './forwarded.ts'
import { meter } from './meter.ts'
import type { Simulation } from './simulation.ts'
import { swarm } from './swarm/swarm.ts'
import { thermometer } from './thermometer.ts'
import { valve } from './valve.ts'

/** In the order in which they are listed. */
export const kinds: readonly Simulation[] = [thermometer, door, meter, valve, button, forwarded, swarm]
