import { readFileSync, statfsSync } from 'node:fs'
import { arch, cpus, freemem, hostname, platform, release, totalmem, uptime } from 'node:os'
import type { HostFacts } from '../ports/facts.ts'
import { reasonOf } from '../base/errors.ts'

/**
 * What a report of a fault should say of the machine, under the names that Consul's agent/host has for it
 * (those of gopsutil). Values that this system does not have are left out. A failed read is reported.
 */
export function hostFacts(dataDirectory: string): HostFacts {
  const errors: string[] = []
  const attempt = <T>(what: () => T): T | null => {
    try {
      return what()
    } catch (error) {
      errors.push(reasonOf(error))
      return null
    }
  }
  return {
    memory: attempt(memory),
    cpus: attempt(processors) ?? [],
    host: attempt(machine) ?? {},
    disk: attempt(() => disk(dataDirectory)),
    errors,
  }
}

/** Bytes. Linux tells more than others. */
function memory(): Readonly<Record<string, number>> {
  const told = meminfo()
  const total = told['memtotal'] ?? totalmem()
  const free = told['memfree'] ?? freemem()
  const available = told['memavailable'] ?? free
  const { buffers, cached, active, inactive, dirty, shmem, slab, swaptotal, swapfree } = told
  const used = total - free - (buffers ?? 0) - (cached ?? 0)
  const usedPercent = percent(used, total)
  const rest = {
    buffers,
    cached,
    active,
    inactive,
    dirty,
    shared: shmem,
    slab,
    swaptotal,
    swapfree,
  }
  const known = Object.entries(rest).filter(
    (pair): pair is [string, number] => pair[1] !== undefined,
  )
  return { total, available, used, usedPercent, free, ...Object.fromEntries(known) }
}

/** /proc/meminfo (proc(5)) in bytes, by lower-case name; empty where there is none. */
function meminfo(): Readonly<Record<string, number>> {
  if (platform() !== 'linux') return {}
  const lines = readFileSync('/proc/meminfo', 'latin1').matchAll(/^(\w+):\s+(\d+) kB$/gm)
  return Object.fromEntries(
    [...lines].map(([, name = '', kib]) => [name.toLowerCase(), Number(kib) * 1024]),
  )
}

function processors(): readonly object[] {
  return cpus().map(({ model, speed }, cpu) => ({ cpu, cores: 1, modelName: model, mhz: speed }))
}

function machine(): object {
  const seconds = Math.floor(uptime())
  return {
    hostname: hostname(),
    uptime: seconds,
    bootTime: Math.floor(Date.now() / 1000) - seconds,
    os: platform(),
    ...distribution(),
    kernelVersion: release(),
    kernelArch: arch() === 'x64' ? 'x86_64' : arch(),
  }
}

/** os-release(5); nothing where there is none. */
function distribution(): { readonly platform?: string; readonly platformVersion?: string } {
  if (platform() !== 'linux') return {}
  try {
    const text = readFileSync('/etc/os-release', 'utf8')
    const value = (key: string): string =>
      new RegExp(`^${key}=["']?([^"'\\n]*)["']?$`, 'm').exec(text)?.[1] ?? ''
    return { platform: value('ID'), platformVersion: value('VERSION_ID') }
  } catch {
    return {}
  }
}

/** Of the file system that holds the data directory, which is the one that matters. */
function disk(path: string): object {
  const { bsize, blocks, bavail, bfree, files, ffree } = statfsSync(path)
  const total = blocks * bsize
  const free = bavail * bsize
  const used = (blocks - bfree) * bsize
  return {
    path,
    total,
    free,
    used,
    usedPercent: percent(used, used + free),
    inodesTotal: files,
    inodesUsed: files - ffree,
    inodesFree: ffree,
    inodesUsedPercent: percent(files - ffree, files),
  }
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : (part / whole) * 100
}
