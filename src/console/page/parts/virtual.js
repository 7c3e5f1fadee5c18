// A long list of which only the visible rows exist: 5,000 sensors cost as much as 40.

import { h, setAttribute } from './dom.js'

/** rows beyond the visible ones, so that a quick scroll finds them made */
const OVERSCAN = 8

/**
 * `viewport` scrolls and holds a header of its own; `create()` makes a row, `update(row, index)` fills it, `rowHeight()` is
 * in pixels; `onRange(first, last)` is called when other rows come into view.
 */
export class VirtualRows {
  #viewport
  #space = h('div', { class: 'space', role: 'rowgroup' })
  #create
  #update
  #rowHeight
  #onRange
  #pool = []
  #total = 0
  #first = -1
  #last = -1
  #frame = 0
  #observer

  constructor({ viewport, create, update, rowHeight, onRange }) {
    this.#viewport = viewport
    this.#create = create
    this.#update = update
    this.#rowHeight = rowHeight
    this.#onRange = onRange
    viewport.append(this.#space)
    viewport.addEventListener('scroll', () => this.#schedule(), { passive: true })
    this.#observer = new ResizeObserver(() => this.#schedule())
    this.#observer.observe(viewport)
  }

  set total(total) {
    this.#total = total
    this.render()
  }

  /** Fills all visible rows again. */
  render() {
    const height = this.#rowHeight()
    const { scrollTop, clientHeight } = this.#viewport
    const first = Math.max(0, Math.min(Math.floor(scrollTop / height) - OVERSCAN, this.#total - 1))
    const last = Math.min(this.#total - 1, Math.ceil((scrollTop + clientHeight) / height) + OVERSCAN)
    this.#space.style.height = `${this.#total * height}px`
    const size = Math.max(0, last - first + 1)
    while (this.#pool.length < size) {
      const row = this.#create()
      this.#pool.push(row)
      this.#space.append(row)
    }
    const used = new Set()
    for (let index = first; index <= last && size > 0; index++) {
      // A row keeps its place in the pool while it is in view: only what comes into view is written anew.
      const row = this.#pool[index % this.#pool.length]
      used.add(row)
      row.hidden = false
      row.style.transform = `translateY(${index * height}px)`
      setAttribute(row, 'aria-rowindex', String(index + 2))
      this.#update(row, index)
    }
    for (const row of this.#pool) if (!used.has(row)) row.hidden = true
    if (first === this.#first && last === this.#last) return
    this.#first = first
    this.#last = last
    if (size > 0) this.#onRange(first, last)
  }

  get range() {
    return [Math.max(0, this.#first), Math.max(0, this.#last)]
  }

  /** The row of an index that is in view. */
  rowAt(index) {
    return index < this.#first || index > this.#last ? undefined : this.#pool[index % this.#pool.length]
  }

  /** Scrolls as little as needed to show a row whole; `header` pixels at the top are covered. */
  reveal(index, header) {
    const height = this.#rowHeight()
    const top = index * height
    const { scrollTop, clientHeight } = this.#viewport
    if (top < scrollTop) this.#viewport.scrollTop = top
    else if (top + height > scrollTop + clientHeight - header)
      this.#viewport.scrollTop = top + height - clientHeight + header
    this.render()
  }

  #schedule() {
    if (this.#frame !== 0) return
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0
      this.render()
    })
  }

  close() {
    cancelAnimationFrame(this.#frame)
    this.#observer.disconnect()
  }
}
