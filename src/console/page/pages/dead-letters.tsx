// Messages that were acknowledged to their sensors and that the broker will not have, of all sensors, with what to do.

import { useEffect, useState } from 'preact/hooks'
import type { OwnedDeadLetter } from '../../contract/happenings.ts'
import { api } from '../data/api.ts'
import { useAnswer } from '../data/use-answer.ts'
import { confirm } from '../layers/dialog.tsx'
import { ExportLinks } from '../parts/export-links.tsx'
import { Failure } from '../parts/failure.tsx'
import { ago, count, octets, plural } from '../parts/format.ts'
import { sensorAddress } from '../parts/navigation.ts'
import { EmptyState, Intro, Panel, WideTable } from '../parts/panel.tsx'
import { performAction } from '../sensor/actions.tsx'
import { dropWords } from '../words/drops.ts'

const REFRESH = 4000
const MOST = 500

interface RowsProps {
  readonly items: readonly OwnedDeadLetter[]
  readonly chosen: ReadonlySet<string>
  readonly choose: (clientId: string, isChosen: boolean) => void
}

function Rows({ items, chosen, choose }: RowsProps) {
  return (
    <WideTable label="Dead letters">
      <table class="plain stacked">
        <thead>
          <tr>
            <th scope="col">Sensor</th>
            <th scope="col">Topic</th>
            <th scope="col">Why</th>
            <th scope="col" class="number">
              Size
            </th>
            <th scope="col" class="number">
              From
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map(({ clientId, token, topic, qos, retain, octets: size, at, why }) => (
            <tr key={`${clientId} ${token}`}>
              <th scope="row">
                <label class="check">
                  <input
                    type="checkbox"
                    checked={chosen.has(clientId)}
                    aria-label={`Choose all of ${clientId}`}
                    onChange={({ currentTarget }) => choose(clientId, currentTarget.checked)}
                  />
                </label>{' '}
                <a class="name" href={sensorAddress(clientId)}>
                  {clientId}
                </a>
              </th>
              <td>
                <code>{topic}</code>
                <span class="muted">{` QoS ${qos}${retain ? ', retained' : ''}`}</span>
              </td>
              <td data-tip={dropWords(why).text}>{dropWords(why).label}</td>
              <td class="number">{octets(size)}</td>
              <td class="number" data-label="From">
                {ago(at)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </WideTable>
  )
}

export function DeadLettersPage() {
  const [words, setWords] = useState('')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const { value, error, reload } = useAnswer(() => api.deadLetters({ search: words, limit: MOST }), REFRESH)
  useEffect(reload, [words])
  const items = value?.items ?? []
  const owners = [...new Set(items.map(({ clientId }) => clientId))]
  const picked = owners.filter((clientId) => chosen.has(clientId))

  async function act(action: 'resendDeadLetters' | 'discardDeadLetters'): Promise<void> {
    const isDiscard = action === 'discardDeadLetters'
    const of = `The dead letters of ${plural(picked.length, 'sensor')}`
    const isWanted = await confirm({
      title: isDiscard ? 'Discard them?' : 'Send them again?',
      text: [
        isDiscard
          ? `${of} are deleted. They cannot be brought back.`
          : `${of} are sent to the broker once more.`,
      ],
      action: isDiscard ? 'Discard them' : 'Send them again',
      danger: isDiscard,
    })
    if (!isWanted) return
    await performAction(
      () => api.actOnSeveral(picked, action),
      isDiscard ? 'They are gone.' : 'They are on their way.',
    )
    setChosen(new Set())
    reload()
  }
  return (
    <div class="page stack">
      <Intro title="Dead letters">
        Messages that sensors were told had arrived, and that the broker will not have: it closes the
        connection at them, or refuses them for good. They stay on the disk until somebody decides. Often the
        sensor may not publish to that topic: let the broker permit it, then send them again.
      </Intro>
      <div class="toolbar">
        <input
          type="search"
          placeholder="ClientId or topic"
          aria-label="Search dead letters"
          onInput={({ currentTarget }) => setWords(currentTarget.value.trim())}
        />
        <span class="muted found" role="status">
          {value === undefined ? '' : plural(value.total, 'message')}
        </span>
        <ExportLinks kind="dead-letters" />
      </div>
      <Panel
        title="Waiting for a decision"
        actions={
          items.length > 0 && (
            <>
              <button
                type="button"
                onClick={() => setChosen(new Set(picked.length === owners.length ? [] : owners))}
              >
                {picked.length === owners.length ? 'Choose none' : 'Choose all'}
              </button>
              <button
                type="button"
                disabled={picked.length === 0}
                onClick={() => void act('resendDeadLetters')}
              >
                Send again…
              </button>
              <button
                type="button"
                class="careful"
                disabled={picked.length === 0}
                onClick={() => void act('discardDeadLetters')}
              >
                Discard…
              </button>
            </>
          )
        }
      >
        {error !== undefined && value === undefined && (
          <Failure title="The dead letters could not be loaded" error={error} retry={reload} />
        )}
        {items.length > 0 && (
          <Rows
            items={items}
            chosen={chosen}
            choose={(clientId, isChosen) => {
              const next = new Set(chosen)
              if (isChosen) next.add(clientId)
              else next.delete(clientId)
              setChosen(next)
            }}
          />
        )}
        {value !== undefined && value.total > items.length && (
          <p class="muted">{`${count(value.total - items.length)} more: search for them, or export all.`}</p>
        )}
        {value?.total === 0 && (
          <EmptyState title={words === '' ? 'There are no dead letters' : 'Nothing matches'}>
            {words === '' ? 'The broker took everything that sensors were told had arrived.' : ''}
          </EmptyState>
        )}
      </Panel>
    </div>
  )
}
