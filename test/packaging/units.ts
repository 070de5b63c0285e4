import { readFileSync } from 'node:fs'

const root = new URL('../../', import.meta.url)

export const unitPath = (name: string): URL => new URL(`packaging/systemd/${name}`, root)

/** The values of a key in a unit file, in order. */
export function unitValues(name: string, key: string): readonly string[] {
  return readFileSync(unitPath(name), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1))
}
