/** How the requests of the fuzz tests of access control are divided. */
const shares = { endpoints: 0.7, streams: 0.05, dns: 0.23, socket: 0.02 } as const

/** How many of them one test sends; `npm run long` sends 100,000 in all. */
export function requestsOf(what: keyof typeof shares): number {
  return Math.ceil(Number(process.env['SVCD_ACCESS_REQUESTS'] ?? 4000) * shares[what])
}
