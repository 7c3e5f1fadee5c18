import { it } from 'vitest'
import { live, numbers, up } from '../support/life.ts'
import type { World } from '../support/world.ts'
it('dbg', () => {
  const [ack, lag, seed] = (process.env['DBG'] ?? '').split(',')
  let world: World | undefined
  const next = numbers(Number(seed))
  try {
      const air = () => {
        const delay = 2 + next() * 400
        if (next() < 0.1) return []
        return next() < 0.1 ? [delay, delay + 1] : [delay]
      }
    const l = live(air, { policy: { ack: ack as 'broker' }, prepare: (w) => { world = w; w.store.lag = Number(lag); w.startsAfter = 700; 
        const plan = () => {
          const pause = next() < 0.5 ? next() * 400 : next() * 40_000
          world?.after(pause, () => {
            world?.crash()
            plan()
          })
        }
        plan()
      const old = w.effects.push.bind(w.effects)
      w.effects.push = (e) => { if (e.type !== 'send') { const u = 'uplink' in e ? ` ${e.uplink.token} ${e.uplink.stage} ${e.uplink.answer}` : 'token' in e ? ` ${e.token}` : ''; w.note(`      ${w.now - 1000000} ${w.effects.length} ${e.type}${u}`) } else w.note(`      ${w.now-1000000} ${w.effects.length} send ${JSON.stringify(e.packet).slice(0,90)}`); return old(e) }
    } })
    console.log(up(l), JSON.stringify(l.end), l.wills, l.last, l.sensor.received)
  } catch (e) { console.log(e) }
  console.log(world?.transcript.join('\n'))
})
