// A way to the paragraph of the docs that explains something; the gateway serves it, so that it fits its version. Relative,
// since a proxy may serve the page below another path.

/** `path` is undefined where the docs have nothing to say. */
export const DocsLink = ({ path }: { path: string | undefined }) =>
  path === undefined ? null : (
    <a class="docs" href={path.replace(/^\//, '')} target="_blank" rel="noreferrer">
      How to mend it
    </a>
  )
