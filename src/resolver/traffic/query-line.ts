import type { AnsweredQuery } from './answered-query.ts'

// The lines of the query log. Each is a JSON object. Its fields are those of dnstap that tools use most.

/** `every`: the line stands for so many queries. */
export function queryLine(query: AnsweredQuery, wallMs: number, every: number): string {
  const { transport, client, name, type, rcode, bytes, latencyMs, isTruncated, isCached } = query
  return lineOf({
    time: isoTime(wallMs),
    transport,
    client,
    name,
    type,
    rcode,
    bytes,
    latencyMs: Number(latencyMs.toFixed(3)),
    cached: isCached,
    ...(isTruncated ? { truncated: true } : {}),
    ...(every === 1 ? {} : { sample: every }),
  })
}

/** Queries without a line, because lines could not be written fast enough. */
export function droppedLine(dropped: number, wallMs: number): string {
  return lineOf({ time: isoTime(wallMs), dropped })
}

/** Names have escapes for everything that a terminal obeys, and all other texts are svcd's own. */
function lineOf(line: object): string {
  return `${JSON.stringify(line)}\n`
}

function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString()
}
