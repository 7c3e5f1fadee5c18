// One sensor, asked for again and again, and what it says: the gateway's memory of it first, then the stream of datagrams.

import { useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks'
import type { SensorDetail } from '../../contract/sensors.ts'
import { type ApiError, api } from '../data/api.ts'
import { live } from '../data/live.ts'
import { Transcript } from './transcript.ts'

const REFRESH = 2000
/** Milliseconds after a message or a change, within which more of them are waited for. */
const SOON = 200

interface Watched {
  readonly sensor: SensorDetail | undefined
  readonly error: ApiError | undefined
  readonly transcript: Transcript
  /** see Conversation */
  readonly drawn: number
  readonly arrived: number
  /** Asks again now. */
  reload(): void
}

/** Many messages at once are drawn together, once per picture; a hidden page draws none, but shall not collect for ever. */
function oncePerPicture(draw: () => void): () => void {
  let isScheduled = false
  return () => {
    if (isScheduled) return
    isScheduled = true
    const go = () => {
      isScheduled = false
      draw()
    }
    if (document.hidden) setTimeout(go, 500)
    else requestAnimationFrame(go)
  }
}

export function useSensor(clientId: string): Watched {
  const [answer, setAnswer] = useState<Pick<Watched, 'sensor' | 'error'>>({
    sensor: undefined,
    error: undefined,
  })
  const [drawn, draw] = useReducer((value: number) => value + 1, 0)
  const arrived = useRef(0)
  const transcript = useMemo(() => {
    const made: Transcript = new Transcript(
      oncePerPicture(() => {
        arrived.current = made.take()
        draw(undefined)
      }),
    )
    return made
  }, [])
  const reload = useRef(() => {})

  useEffect(() => {
    let isLoading = false
    let again = false
    let isClosed = false
    let isFirst = true
    let streamBegan = false
    let hasStream = false
    let soon: number | undefined

    async function load(): Promise<void> {
      if (isLoading) {
        again = true
        return
      }
      isLoading = true
      try {
        // An answer from before the stream began may lack what was said in between.
        const wantsPast = streamBegan || (isFirst && !hasStream)
        streamBegan = false
        const sensor = await api.sensor(clientId)
        if (isClosed) return
        isFirst = false
        if (wantsPast && !streamBegan) transcript.past(sensor.recent)
        setAnswer({ sensor, error: undefined })
      } catch (error) {
        if (isClosed) return
        if (!streamBegan) transcript.past([])
        const problem = error as ApiError
        // Old facts are better than none: the top of the page tells of the trouble.
        setAnswer(({ sensor }) => ({ sensor: problem.status === 404 ? undefined : sensor, error: problem }))
      } finally {
        isLoading = false
        if (again && !isClosed) {
          again = false
          void load()
        }
      }
    }
    const loadSoon = () => {
      clearTimeout(soon)
      soon = setTimeout(() => void load(), SOON)
    }
    reload.current = () => void load()

    const stops = [
      live.on('change', (change) => change.clientId === clientId && loadSoon()),
      live.on('packet', (packet) => {
        transcript.add(packet)
        loadSoon()
      }),
      live.on('broker', (step) => transcript.add(step)),
      // What was said until the stream of packets began is asked for, so that nothing is missing.
      live.on('streaming', () => {
        streamBegan = true
        hasStream = true
        transcript.awaitPast()
        void load()
      }),
    ]
    const timer = setInterval(() => document.hidden || void load(), REFRESH)
    live.watch(clientId)
    void load()
    return () => {
      isClosed = true
      clearInterval(timer)
      clearTimeout(soon)
      for (const stop of stops) stop()
      live.watch(undefined)
    }
  }, [clientId, transcript])

  return { ...answer, transcript, drawn, arrived: arrived.current, reload: () => reload.current() }
}
