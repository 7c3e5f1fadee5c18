// How long something takes: a histogram of plain counts.

/** Upper bounds in seconds, and how many observations lie at or below each; `count` has all of them. */
export interface Histogram {
  readonly bounds: readonly number[]
  readonly counts: number[]
  sum: number
  count: number
}

/** Half a millisecond to ten seconds: fit for acknowledgements. */
const ACKNOWLEDGEMENTS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** An empty one. */
export const createHistogram = (bounds: readonly number[] = ACKNOWLEDGEMENTS): Histogram => ({
  bounds,
  counts: bounds.map(() => 0),
  sum: 0,
  count: 0,
})

/** Counts one observation, in seconds. */
export function addObservation(histogram: Histogram, seconds: number): void {
  const { bounds, counts } = histogram
  histogram.sum += seconds
  histogram.count += 1
  for (let i = bounds.length - 1; i >= 0 && seconds <= (bounds[i] ?? 0); i--) counts[i] = (counts[i] ?? 0) + 1
}
