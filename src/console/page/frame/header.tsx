// The top of every page: where one can go, whether the gateway is heard, colours and help.

import { useEffect, useRef, useState } from 'preact/hooks'
import type { LinkStatus } from '../data/live.ts'
import { useLive } from '../data/use-live.ts'
import { nextTheme, storedTheme, type Theme } from '../parts/theme-choice.ts'

const ENTRIES: readonly (readonly [name: string, label: string])[] = [
  ['overview', 'Overview'],
  ['sensors', 'Sensors'],
  ['topics', 'Topics'],
  ['events', 'Events'],
  ['drops', 'Drops'],
  ['dead-letters', 'Dead letters'],
  ['messages', 'Messages'],
  ['connections', 'Connections'],
  ['config', 'Configuration'],
]
/** Only where there are other nodes. */
const CLUSTER = ['cluster', 'Cluster'] as const
const STATUS: Readonly<Record<LinkStatus, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  away: 'Offline',
}
const THEMES: Readonly<Record<Theme, readonly [sign: string, words: string]>> = {
  auto: ['◐', 'Colours as the system has them'],
  light: ['○', 'Light colours'],
  dark: ['●', 'Dark colours'],
}

function ThemeButton() {
  const [theme, setTheme] = useState(storedTheme)
  const [sign, words] = THEMES[theme]
  return (
    <button
      id="theme"
      type="button"
      class="tool"
      aria-label={words}
      data-tip={`${words}. Click to change.`}
      onClick={() => setTheme(nextTheme(theme))}
    >
      {sign}
    </button>
  )
}

/** `current` is the entry of the page that is shown. */
export function Header({ current, onHelp }: { current: string; onHelp: () => void }) {
  const { status, info } = useLive()
  const entries = info?.clusterNode === undefined ? ENTRIES : [...ENTRIES, CLUSTER]
  const nav = useRef<HTMLElement>(null)
  useEffect(() => {
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [current])
  return (
    <header class="top">
      <a class="brand" href="#/" aria-label="MQTT-SN gateway, overview">
        <img src="icon.svg" alt="" width="22" height="22" />
        <span>MQTT-SN gateway</span>
      </a>
      <nav ref={nav} aria-label="Pages">
        {entries.map(([name, label]) => (
          <a
            key={name}
            href={name === 'overview' ? '#/' : `#/${name}`}
            aria-current={name === current ? 'page' : undefined}
          >
            {label}
          </a>
        ))}
      </nav>
      <div class="tools">
        <span id="link" class="link" role="status" data-status={status}>
          {STATUS[status]}
        </span>
        <ThemeButton />
        <button
          id="help"
          type="button"
          class="tool"
          aria-label="Help and keys"
          data-tip="Help and keys (?)"
          onClick={onHelp}
        >
          ?
        </button>
      </div>
    </header>
  )
}
