// Where in the console somebody is: the part of the address behind "#".

/** `#/sensor/a%2Fb?x=1` as `{ name: 'sensor', rest: 'a/b', query }`. */
export interface Place {
  readonly name: string
  readonly rest: string
  readonly query: URLSearchParams
}

export function placeOf(hash: string): Place {
  const [, path = '', search = ''] = /^#\/?([^?]*)\??(.*)$/.exec(hash) ?? []
  const [name = '', ...rest] = path.split('/')
  let decoded = rest.join('/')
  try {
    decoded = decodeURIComponent(decoded)
  } catch {
    // typed by hand, not encoded: take it as it is
  }
  return { name, rest: decoded, query: new URLSearchParams(search) }
}

export const sensorAddress = (clientId: string): string => `#/sensor/${encodeURIComponent(clientId)}`

/** The list of sensors as it was left, so that one comes back to the same row. */
export const listLeft = {
  query: '',
  scroll: 0,
  selected: undefined as string | undefined,
  isReturning: false,
}

export const listAddress = (): string => `#/sensors${listLeft.query === '' ? '' : `?${listLeft.query}`}`

/** What every page gets. */
export interface PageProps {
  readonly place: Place
}
