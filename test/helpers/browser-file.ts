import { existsSync } from 'node:fs'

/** Debian's chromium. The one without windows comes first: it opens a page in a third of the time. */
export const browserFile = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find((file) =>
  existsSync(file),
)

/** A reason to skip when there is no browser, for tap's `skip` option. */
export const noBrowser: string | false =
  browserFile === undefined && 'needs chromium-headless-shell or chromium'
