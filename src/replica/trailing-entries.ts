/** Entries of the log kept behind the applied index, for followers that catch up. */
export const trailingEntries = 10_000
