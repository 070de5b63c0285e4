import { ClusterMarks } from '../../src/replica/cluster/marks.ts'
import type { SimDisk } from './disk.ts'

/** What an ended process would still do; nobody hears of it. */
export class Ended extends Error {
  override name = 'Ended'
}

/** The marks on a disk; `mustLive` throws once the process that writes them has ended. */
export function marksOn(disk: SimDisk, mustLive: () => void): ClusterMarks {
  return new ClusterMarks({
    meta: (key) => disk.meta(key),
    setMeta: (key, value) => {
      mustLive()
      disk.setMeta(key, value)
    },
  })
}
