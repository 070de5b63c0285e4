import type { Locator, Page } from 'playwright-core'

/** The rows of the table on a page. */
export function rowsOf(page: Page): Locator {
  return page.locator('.grid .body [role="row"]')
}

export function rowOf(page: Page, text: string): Locator {
  return rowsOf(page).filter({ hasText: text })
}
