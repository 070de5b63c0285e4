import { signal } from '@preact/signals'

// Text that was typed and not sent yet. It stays until the tab is closed, also when the page is left, for example to enter
// another token.

const drafts = signal<ReadonlyMap<string, string>>(new Map())

/** The text of a field by its name, and how to change it. */
export function useDraft(name: string): readonly [string, (text: string) => void] {
  const set = (text: string): void => {
    drafts.value = new Map([...drafts.peek(), [name, text]])
  }
  return [drafts.value.get(name) ?? '', set]
}
