import { reasonOf } from '../../base/errors.ts'
import type { ImageSource } from './image-messages.ts'
import { ZoneImage } from './zone-image.ts'

/** An image that no client asks for is removed after this time. */
const keptMs = 30_000
/** Of one zone: clients that read slowly hold old ones. */
const versionsMax = 8

interface Held {
  readonly image: ZoneImage
  readonly version: unknown
  readonly timer: NodeJS.Timeout
}

/** What an image is made of. */
export interface ImageOf {
  /** Names the zone. */
  readonly key: string
  /** Another value: the zone has changed. It is asked before the zone is read. */
  readonly version: () => unknown
  readonly source: () => ImageSource
}

/** The images of all zones. Transfers of one version share one, and of each zone one is written at a time. */
export class ZoneImages {
  readonly #directory: string
  readonly #held = new Map<string, Held>()
  /** All that have a file, with the key of their zone. */
  readonly #open = new Map<ZoneImage, string>()
  #isStopped = false

  constructor(directory: string) {
    this.#directory = directory
  }

  /** An image of the zone as it is now, or later. The caller drops it. Rejects with an error. */
  async open(of: ImageOf): Promise<ZoneImage> {
    for (;;) {
      const held = this.#held.get(of.key)
      const isCurrent = held?.image.failure === undefined && held?.version === of.version()
      if (held !== undefined && isCurrent) {
        held.timer.refresh()
        return held.image.hold()
      }
      if (held === undefined || held.image.isWritten) return this.#write(of).hold()
      // All who wait share the next one.
      await held.image.written
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    const all = [...this.#open.keys()]
    for (const key of this.#held.keys()) this.#forget(key)
    await Promise.all(all.map((image) => image.stop()))
  }

  #write({ key, version, source }: ImageOf): ZoneImage {
    this.#forget(key)
    if (this.#isStopped) throw new Error('the agent stops')
    const versions = [...this.#open.values()].filter((other) => other === key).length
    if (versions >= versionsMax) {
      throw new Error(`clients that read slowly hold ${versions} older versions of it`)
    }
    const now = version()
    let image: ZoneImage
    try {
      image = new ZoneImage(this.#directory, source(), () => this.#open.delete(image))
    } catch (error) {
      throw new Error(`cannot write to ${this.#directory}: ${reasonOf(error)}`, { cause: error })
    }
    image.hold()
    this.#open.set(image, key)
    const timer = setTimeout(() => this.#forget(key), keptMs).unref()
    this.#held.set(key, { image, version: now, timer })
    return image
  }

  #forget(key: string): void {
    const held = this.#held.get(key)
    if (held === undefined) return
    this.#held.delete(key)
    clearTimeout(held.timer)
    held.image.drop()
  }
}
