// The addresses of a member in one text: where its process shows that it is there, the machine that this is, and where its links arrive.
//
//   tcp://host:port?link=host:port#place

/** Adds where links arrive to the address of a sign of life; '' where there is none. */
export function writeLink(sign: string, link: string | undefined): string {
  if (link === undefined) return sign
  const [address = '', place = ''] = sign.split('#')
  return `${address}?link=${link}#${place}`
}

/** Where links arrive, `host:port`; undefined where nothing is said of it. */
export const readLink = (address: string | undefined): string | undefined =>
  address === undefined ? undefined : /\?link=([^#]+)/.exec(address)?.[1]

/** The sign of life alone, for people. */
export const shownAddress = (address: string | undefined): string | undefined =>
  address?.replace(/[?#].*$/, '') || undefined
