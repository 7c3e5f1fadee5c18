// Ids as Home Assistant allows them in topics: letters, digits, `_` and `-`.

/**
 * The text as such an id. Letters, digits and `-` stay, `_` becomes `__`, and every other octet of the text in UTF-8 `_` and
 * two hexadecimal digits: no two texts have the same id.
 */
export const objectIdOf = (text: string): string =>
  text.toWellFormed().replace(/[^A-Za-z0-9-]+/g, (odd) => {
    const octets = [...new TextEncoder().encode(odd)]
    return octets.map((octet) => (octet === 0x5f ? '__' : `_${octet.toString(16).padStart(2, '0')}`)).join('')
  })
