/** The neighbours of an item, for each of the lists that it may be in. */
export interface IdleLinks<T> {
  readonly previous: (T | undefined)[]
  readonly next: (T | undefined)[]
}

/**
 * A list in the order of arrival, from which any item can be taken, all in constant time. An item
 * can be in several lists of different depths at the same time.
 */
export class IdleList<T extends { readonly links: IdleLinks<T> }> {
  readonly #depth: number
  #first: T | undefined
  #last: T | undefined
  #size = 0

  constructor(depth: number) {
    this.#depth = depth
  }

  get oldest(): T | undefined {
    return this.#first
  }

  get size(): number {
    return this.#size
  }

  /** `item` must not be in the list. */
  append(item: T): void {
    const { previous, next } = item.links
    previous[this.#depth] = this.#last
    next[this.#depth] = undefined
    if (this.#last === undefined) this.#first = item
    else this.#last.links.next[this.#depth] = item
    this.#last = item
    this.#size++
  }

  /** `item` must be in the list. */
  remove(item: T): void {
    const before = item.links.previous[this.#depth]
    const after = item.links.next[this.#depth]
    if (before === undefined) this.#first = after
    else before.links.next[this.#depth] = after
    if (after === undefined) this.#last = before
    else after.links.previous[this.#depth] = before
    item.links.previous[this.#depth] = undefined
    item.links.next[this.#depth] = undefined
    this.#size--
  }
}
