// Every dialogue with a modem, whatever is said to it: it goes on, never has more frames unconfirmed than it may, and hears a message
// after any noise.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Heard } from '../../../src/transport/dialogue/dialogue.ts'
import { createDialogue, LINE_FRAMINGS } from '../../../src/transport/dialogue/kinds.ts'
import { octets } from '../../support/octets.ts'

const M1 = octets('0a 04 04 01 00 3c 6d 31 33 35')
/** A message of a node, as its modem gives it, the node, and how a modem confirms. */
const MODEMS = {
  xbee: {
    received: octets('7e 00 16 90 00 7d 33 a2 00 12 34 56 78 56 78 01 0a 04 04 01 00 3c 6d 31 33 35 82'),
    from: 'xbee/0013a20012345678',
  },
  loralink: {
    received: octets('7e 00 7d 31 05 ff c4 00 09 40 0a 04 04 01 00 3c 6d 31 33 35 99'),
    from: 'lora/5',
  },
  aquila: {
    received: octets('c0 c8 3c 05 fe 01 02 00 0a 04 04 01 00 3c 6d 31 33 35 71 d6 c0'),
    from: 'aquila/2',
  },
} as const
const special = fc.constantFrom(
  0x7e,
  0x7d,
  0xc0,
  0xdb,
  0,
  1,
  2,
  0x11,
  0x13,
  0x8b,
  0x88,
  0x90,
  0x40,
  0x80,
  0xfe,
)
const noise = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 255 }), special), { maxLength: 120 })
  .map((all) => Uint8Array.from(all))
const step = fc.oneof(noise, fc.constantFrom('send', 'send to all', 'message', 'wait', 'own', 'reopen'))
const messagesIn = (heard: readonly Heard[]) => heard.filter(({ type }) => type === 'message')

describe.each(Object.entries(MODEMS))('a dialogue with %s', (framing, { received, from }) => {
  it('goes on through anything, with no more frames unconfirmed than it may [LINK-DL-1, LINK-ST-8, LINK-FR-3]', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const dialogue = createDialogue({ framing }, { longest: 80 })
        let now = 0
        dialogue.begin(now)
        for (const one of steps) {
          now += 100
          if (one === 'wait') {
            now += 3000
            dialogue.expire(now)
          } else if (one === 'own') dialogue.ownFrame(now)
          else if (one === 'reopen') dialogue.begin(now)
          else if (one === 'message') dialogue.push(received, now)
          else if (typeof one !== 'string') dialogue.push(one, now)
          else {
            const frame = dialogue.encode(M1, one === 'send' ? from : undefined, 0)
            if (typeof frame !== 'string' && dialogue.isReady) dialogue.seal(frame, now)
          }
          expect(dialogue.unconfirmed).toBeLessThanOrEqual(1)
          expect(dialogue.deadline ?? now).toBeLessThanOrEqual(now + 10_000)
        }
        // after a silence a message is heard, whatever was before
        now += 20_000
        dialogue.expire(now)
        dialogue.expire(now)
        const heard = [...dialogue.push(received, now), ...dialogue.push(received, now)]
        expect(messagesIn(heard).at(-1)).toMatchObject({ bytes: M1, from })
        expect(dialogue.isReady || dialogue.unconfirmed > 0).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('what waited when the line was opened again waits no more [LINK-DL-4]', () => {
    const dialogue = createDialogue({ framing }, { longest: 80 })
    dialogue.begin(0)
    const frame = dialogue.encode(M1, from, 0)
    if (typeof frame === 'string') throw new Error(frame)
    dialogue.seal(frame, 0)
    dialogue.begin(100)
    expect([dialogue.isReady, dialogue.unconfirmed]).toEqual([true, 0])
  })
})

it('there is a dialogue for every framing that an url may name', () => {
  for (const framing of LINE_FRAMINGS) expect(createDialogue({ framing }, { longest: 80 }).isReady).toBe(true)
  expect(() => createDialogue({ framing: 'ppp' }, { longest: 80 })).toThrow('no framing "ppp"')
})
