// The console page: which page is shown, and what is around all of them. Nothing comes from other hosts.

import { type ComponentType, render } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { live } from './data/live.ts'
import { useLive } from './data/use-live.ts'
import { Header } from './frame/header.tsx'
import { Trouble } from './frame/trouble.tsx'
import { openHelp } from './layers/help.tsx'
import { startTips } from './layers/tips.ts'
import { Toasts } from './layers/toasts.tsx'
import { ClusterPage } from './pages/cluster.tsx'
import { ConfigPage } from './pages/config.tsx'
import { ConnectionsPage } from './pages/connections.tsx'
import { DeadLettersPage } from './pages/dead-letters.tsx'
import { DropsPage } from './pages/drops.tsx'
import { EventsPage } from './pages/events.tsx'
import { MessagesPage } from './pages/messages.tsx'
import { OverviewPage } from './pages/overview.tsx'
import { SensorPage } from './pages/sensor.tsx'
import { SensorsPage } from './pages/sensors.tsx'
import { TopicsPage } from './pages/topics.tsx'
import { WordsPage } from './pages/words.tsx'
import { startKeys } from './parts/keyboard.ts'
import { type PageProps, type Place, placeOf } from './parts/navigation.ts'

/** A page, its title, and which entry of the navigation leads to it. */
interface PageEntry {
  readonly Page: ComponentType<PageProps>
  readonly title: (place: Place) => string
  readonly entry?: string
}

const PAGES: Readonly<Record<string, PageEntry>> = {
  '': { Page: OverviewPage, title: () => 'Overview', entry: 'overview' },
  sensors: { Page: SensorsPage, title: () => 'Sensors' },
  sensor: { Page: SensorPage, title: ({ rest }) => rest, entry: 'sensors' },
  events: { Page: EventsPage, title: () => 'Events' },
  drops: { Page: DropsPage, title: () => 'Drops and refusals' },
  'dead-letters': { Page: DeadLettersPage, title: () => 'Dead letters' },
  messages: { Page: MessagesPage, title: () => 'Messages' },
  connections: { Page: ConnectionsPage, title: () => 'Connections' },
  cluster: { Page: ClusterPage, title: () => 'Cluster' },
  topics: { Page: TopicsPage, title: () => 'Topics' },
  config: { Page: ConfigPage, title: () => 'Configuration' },
  words: { Page: WordsPage, title: () => 'Words' },
}

function NothingHere() {
  return (
    <div class="empty">
      <h1>There is no such page</h1>
      <p>
        <a href="#/">Go to the overview</a>
      </p>
    </div>
  )
}

/** Where somebody is, and how often that has changed: every change opens a page anew. */
function usePlace(): { place: Place; visit: number } {
  const [at, setAt] = useState(() => ({ place: placeOf(location.hash), visit: 0 }))
  useEffect(() => {
    const moved = () => {
      if (location.hash === '#main') return // the skip link
      setAt(({ visit }) => ({ place: placeOf(location.hash), visit: visit + 1 }))
    }
    addEventListener('hashchange', moved)
    return () => removeEventListener('hashchange', moved)
  }, [])
  return at
}

function App() {
  const { place, visit } = usePlace()
  const { status } = useLive()
  const main = useRef<HTMLElement>(null)
  const { Page, title, entry } = PAGES[place.name] ?? { Page: NothingHere, title: () => 'Nothing here' }

  useLayoutEffect(() => {
    document.title = `${title(place)} · MQTT-SN gateway`
    main.current?.scrollTo(0, 0)
    // Keys scroll what has the focus: the page, unless something on it wants it.
    if (!main.current?.contains(document.activeElement)) main.current?.focus({ preventScroll: true })
  }, [visit])
  useLayoutEffect(() => void document.body.classList.toggle('stale', status === 'away'), [status])

  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Header current={entry ?? place.name} onHelp={() => void openHelp()} />
      <Trouble />
      <main ref={main} id="main" tabIndex={0} data-page={place.name || 'overview'}>
        <Page key={visit} place={place} />
      </main>
      <Toasts />
    </>
  )
}

/** A token in the address would end up in bookmarks and screenshots. */
function hideToken(): void {
  const url = new URL(location.href)
  if (!url.searchParams.has('token')) return
  url.searchParams.delete('token')
  history.replaceState(null, '', url)
}

hideToken()
startTips()
startKeys(() => void openHelp())
live.start()
const place = document.getElementById('app')
if (place !== null) render(<App />, place)
