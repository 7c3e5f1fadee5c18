// The listeners with DTLS: sessions, handshakes and how long they take, keys and certificates.

import type { HistogramInfo, ListenerInfo, SecureInfo } from '../../contract/gateway.ts'
import { count, time } from '../parts/format.ts'
import { Panel, WideTable } from '../parts/panel.tsx'
import { Term } from '../parts/term.tsx'
import { handshakeWords, timesInWords } from '../words/handshakes.ts'

const COLUMNS: readonly (readonly [name: string, tip: string])[] = [
  ['Listener', 'A listener with a url of dtls://.'],
  ['Sessions', 'Secure sessions that are open, and how many there may be: "dtls.sessions".'],
  ['Under way', 'Handshakes under way, and how many there may be: "dtls.handshakes".'],
  ['Handshakes', 'How handshakes ended since the start. The log names those that failed.'],
  [
    'Time',
    'How long half of the handshakes took at most, and 95 of 100: full ones with a key or a certificate, and resumed ones.',
  ],
  ['Moved', 'Sessions that went to another address of their sensor since the start, and stayed open.'],
  ['Keys', 'Pre-shared keys that are in use, and when the first certificate ends.'],
]

const FILES: Readonly<Record<string, string>> = {
  changed: 'their file has changed: reload',
  unreadable: 'their file cannot be read',
}

function keysInWords({ identities, pskFile, certificates }: SecureInfo['credentials'], now: number): string {
  const keys = identities === undefined ? [] : [count(identities)]
  const file = FILES[pskFile ?? '']
  const ends = Object.entries(certificates).map(([key, end]) => `${key} until ${time(end, now)}`)
  return [...keys, ...(file === undefined ? [] : [file]), ...ends].join(', ')
}

function Times({ times }: { times: Readonly<Record<string, HistogramInfo>> }) {
  const told = Object.entries(times).filter(([, one]) => one.count > 0)
  return (
    <td data-label="Time">
      {told.length === 0
        ? 'none yet'
        : told.map(([kind, one]) => <div key={kind}>{timesInWords(kind, one)}</div>)}
    </td>
  )
}

function Secure({ name, secure }: { name: string; secure: SecureInfo }) {
  const { sessions, halfOpen, limits, handshakes, moves, credentials } = secure
  const ended = Object.entries(handshakes).filter(([, value]) => value > 0)
  const isWrong = credentials.trouble !== undefined || (credentials.pskFile ?? 'current') !== 'current'
  return (
    <tr>
      <th scope="row">{name}</th>
      <td class="number" data-label="Sessions">{`${count(sessions)} of ${count(limits.sessions)}`}</td>
      <td
        class="number"
        data-label="Under way"
        data-tone={halfOpen >= limits.halfOpen ? 'warn' : undefined}
      >{`${count(halfOpen)} of ${count(limits.halfOpen)}`}</td>
      <td data-label="Handshakes">
        {ended.length === 0
          ? 'none yet'
          : ended.map(([result, value], i) => (
              <span key={result}>
                {i > 0 && ', '}
                <Term tip={handshakeWords(result)}>{`${count(value)} ${result}`}</Term>
              </span>
            ))}
      </td>
      <Times times={secure.handshakeTimes} />
      <td class="number" data-label="Moved">
        {count(moves)}
      </td>
      <td data-label="Keys" data-tone={isWrong ? 'warn' : undefined}>
        {keysInWords(credentials, Date.now())}
      </td>
    </tr>
  )
}

/** Who did not get in lately. */
function Failures({ all }: { all: readonly { name: string; secure: SecureInfo }[] }) {
  const failures = all.flatMap(({ name, secure }) => secure.failures.map((one) => ({ name, ...one })))
  if (failures.length === 0) return null
  failures.sort((a, b) => b.at - a.at)
  return (
    <WideTable label="Handshakes that failed lately">
      <table class="plain">
        <thead>
          <tr>
            {['Failed lately', 'Listener', 'From', 'Identity', 'Why'].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {failures.slice(0, 10).map(({ name, at, address, identity, cause }) => (
            <tr key={`${at} ${address}`}>
              <th scope="row">{time(at)}</th>
              <td>{name}</td>
              <td>{address}</td>
              <td>{identity ?? 'not told'}</td>
              <td>
                <Term tip={handshakeWords(cause)}>{cause}</Term>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </WideTable>
  )
}

/** A table of the listeners with DTLS; nothing where there are none. */
export function SecureListeners({ listeners }: { listeners: readonly ListenerInfo[] }) {
  const all = listeners.flatMap(({ name, secure }) => (secure === undefined ? [] : [{ name, secure }]))
  if (all.length === 0) return null
  return (
    <Panel title="Secure sessions (DTLS)">
      <WideTable label="Secure sessions">
        <table class="plain">
          <thead>
            <tr>
              {COLUMNS.map(([name, tip], i) => (
                <th key={name} scope="col" class={i === 1 || i === 2 || i === 5 ? 'number' : undefined}>
                  <Term tip={tip}>{name}</Term>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {all.map(({ name, secure }) => (
              <Secure key={name} name={name} secure={secure} />
            ))}
          </tbody>
        </table>
      </WideTable>
      <Failures all={all} />
    </Panel>
  )
}
