/**
 * Collects items that are asked for while a page is drawn, and sends them together right after. An item that waits or
 * is under way is not taken a second time; once its answer has come, it can be added again.
 */
export class Batch<Item> {
  readonly #send: (items: readonly Item[]) => Promise<void>
  #waiting = new Map<string, Item>()
  readonly #underWay = new Set<string>()

  constructor(send: (items: readonly Item[]) => Promise<void>) {
    this.#send = send
  }

  /** `key`: what makes two items the same. */
  add(key: string, item: Item): void {
    if (this.#waiting.has(key) || this.#underWay.has(key)) return
    if (this.#waiting.size === 0) queueMicrotask(() => void this.#flush())
    this.#waiting.set(key, item)
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting
    // Items that are added from here on are sent by themselves, and do not wait for these answers.
    this.#waiting = new Map()
    for (const key of batch.keys()) this.#underWay.add(key)
    try {
      await this.#send([...batch.values()])
    } finally {
      for (const key of batch.keys()) this.#underWay.delete(key)
    }
  }
}
