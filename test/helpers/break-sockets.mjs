// Loaded into an agent before its own code, by NODE_OPTIONS: a fault that the program has no hook
// for. Plain JavaScript, as it runs where nothing compiles.
import { closeSync, openSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import koffi from 'koffi'

/** The descriptors of this process's UDP sockets. */
function udpSockets() {
  const rows = readFileSync('/proc/self/net/udp', 'utf8').trim().split('\n').slice(1)
  const links = new Set(rows.map((row) => `socket:[${row.trim().split(/\s+/)[9]}]`))
  return readdirSync('/proc/self/fd')
    .map(Number)
    .toSorted((a, b) => a - b)
    .filter((fd) => {
      try {
        return links.has(readlinkSync(`/proc/self/fd/${fd}`))
      } catch {
        return false
      }
    })
}

if (isMainThread) {
  const libc = koffi.load(null)
  const dup = libc.func('int dup(int)')
  const dup2 = libc.func('int dup2(int, int)')
  /** Puts what is no socket in its place, and returns what puts it back. */
  const broken = (fd) => {
    const kept = dup(fd)
    const other = openSync('/dev/null')
    dup2(other, fd)
    closeSync(other)
    return () => {
      dup2(kept, fd)
      closeSync(kept)
    }
  }
  let mend
  // The first socket breaks; at the next signal it is whole again.
  process.on('SIGUSR2', () => {
    if (mend === undefined) mend = broken(udpSockets()[0])
    else mend = mend()
  })
  // All of them break, for good.
  process.on('SIGWINCH', () => udpSockets().forEach(broken))
}
