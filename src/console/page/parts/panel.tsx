// What pages are made of: a heading with an introduction, panels, lists of facts, and what stands where there is nothing.

import type { ComponentChildren } from 'preact'
import { Term } from './term.tsx'

/** The beginning of a page. */
export function Intro({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="intro">
      <h1>{title}</h1>
      <p class="muted">{children}</p>
    </div>
  )
}

interface PanelProps {
  readonly title: string
  readonly tip?: string | undefined
  readonly class?: string | undefined
  /** right of the heading */
  readonly actions?: ComponentChildren
  readonly children?: ComponentChildren
}

/** A part of a page with a heading. */
export function Panel({ title, tip, class: extra = '', actions, children }: PanelProps) {
  return (
    <section class={`panel ${extra}`}>
      <header>
        <h2>
          <Term tip={tip}>{title}</Term>
        </h2>
        {actions}
      </header>
      {children}
    </section>
  )
}

/** Name, value and explanation. */
export type Fact = readonly [name: string, value: ComponentChildren, tip?: string | undefined]

export function Facts({ facts, wide = false }: { facts: readonly Fact[]; wide?: boolean }) {
  return (
    <dl class={wide ? 'facts wide' : 'facts'}>
      {facts.map(([name, value, tip]) => (
        <div key={name}>
          <dt>
            <Term tip={tip}>{name}</Term>
          </dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** A table that may be wider than its place: it scrolls sideways, by keys as well. */
export function WideTable({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="scroll" role="region" aria-label={label} tabIndex={0}>
      {children}
    </div>
  )
}

/** What is shown where there is nothing to show: what it means, and what to do next. */
export function EmptyState({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h3>{title}</h3>
      {typeof children === 'string' ? <p>{children}</p> : children}
    </div>
  )
}
