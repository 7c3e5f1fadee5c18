// Texts with variables: `${clientId}`, `${identity}` and others are filled in at run time, `$${` is a plain `${`. Pure.

/** One variable, reference or escape; group 1 is what stands between the braces, group 2 the closing brace if any. */
export const PLACEHOLDER = /\$\$\{|\$\{([^}]*)(\}?)/g

/** A variable that stands for a plain dollar sign. */
export const DOLLAR = '$'

/** The names a template may use. */
export type Variable = 'clientId' | 'identity' | 'gatewayId' | 'installation'

const VARIABLES: ReadonlySet<string> = new Set<Variable>([
  'clientId',
  'identity',
  'gatewayId',
  'installation',
])
const isVariable = (name: string): name is Variable => VARIABLES.has(name)

/** The variables in a template. */
export const variablesIn = (template: string): Variable[] =>
  [...template.matchAll(PLACEHOLDER)].flatMap(([, name]) =>
    name !== undefined && isVariable(name) ? [name] : [],
  )

/**
 * Fills a template in one pass, so that `${...}` inside a value stays as it is. A variable without a value stays too.
 * What comes out holds what a sensor chose as its ClientId: check it before using it as a topic or file name.
 */
export const expandTemplate = (
  template: string,
  variables: { readonly [name in Variable]?: string | number | undefined },
): string =>
  template.replace(PLACEHOLDER, (whole, name: string | undefined) => {
    if (name === undefined) return '${'
    if (name === DOLLAR) return '$'
    return isVariable(name) ? String(variables[name] ?? whole) : whole
  })

/** Makes text stand for itself inside a template, whatever stands before and after it. */
export const escapeTemplate = (text: string): string => text.replace(/\$/g, () => `\${${DOLLAR}}`)
