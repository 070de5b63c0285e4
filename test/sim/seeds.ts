/** How many seeds a test run tries; each mutant must be caught within them. */
export const seedsInCi = 1500

/** Seeds that failed once, each with what was wrong: in svcd, or in what the simulator claimed of it. */
export const onceFailed: readonly (readonly [seed: number, about: string])[] = [
  [7846, 'a disk error in a promise left a leader that never did anything again'],
  [585, 'a server that stopped behind its first entry began a second cluster'],
  [1017754, 'an ended process wrote the id of a second cluster'],
  [1047828, 'an ended process wrote the id of a second cluster'],
  [1036672, 'late refusals of one whose disk had hung unseated a live leader'],
  [1049282, 'a late refusal of one whose disk had hung unseated a live leader'],
]
