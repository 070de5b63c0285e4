import { lookup, resolve4, resolve6 } from 'node:dns/promises'

// Prints a line for each name: its addresses, or why there are none. `system` asks the C library, `own` the
// resolver that is part of Node.
const [how, ...names] = process.argv.slice(2)

const find = {
  system: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
  own: async (name) => {
    const both = await Promise.allSettled([resolve4(name), resolve6(name)])
    const found = both.flatMap(({ value = [] }) => value)
    if (found.length === 0) throw both[0].reason
    return found
  },
}[how]

for (const name of names) {
  const found = await find(name).catch(({ code }) => [code === 'ENOTFOUND' ? 'none' : code])
  console.log([name, ...found].join(' '))
}
