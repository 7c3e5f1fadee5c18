// Chance for the session core.

import { randomInt } from 'node:crypto'

/** 0 <= x < 1, by chance that nobody can work out: topic ids and MsgIds prove that a sensor has heard them. */
export const unguessable = (): number => randomInt(2 ** 47) / 2 ** 47
