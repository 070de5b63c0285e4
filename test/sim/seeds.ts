/** How many seeds a test run tries. `npm run long` tries more. */
export const seedsTried = Number(process.env['SVCD_SIM_SEEDS'] ?? 200)

/** Each mutant must be caught within this many seeds. */
export const seedsForMutant = 1500

/** Seeds that failed once, each with what was wrong: in svcd, or in what the simulator claimed of it. */
export const onceFailed: readonly (readonly [seed: number, about: string])[] = [
  [7846, 'a disk error in a promise left a leader that never did anything again'],
  [585, 'a server that stopped behind its first entry began a second cluster'],
  [1017754, 'an ended process wrote the id of a second cluster'],
  [1047828, 'an ended process wrote the id of a second cluster'],
  [1036672, 'late refusals of one whose disk had hung unseated a live leader'],
  [1049282, 'a late refusal of one whose disk had hung unseated a live leader'],
  [1007067, 'it was claimed that a server finds its cluster though all it knew were removed'],
  [1023392, 'it was claimed that a server finds its cluster though all it knew were removed'],
  [1024972, 'it was claimed that a server finds its cluster though all it knew were removed'],
  [1032537, 'it was claimed that a server finds its cluster though all it knew were removed'],
  [1004059, 'one hung for good, without whom not every configuration had a sure quorum'],
  [1028038, 'entries of old terms that came one by one were taken for a standstill'],
  [1037985, 'entries of old terms that came one by one were taken for a standstill'],
  [1038820, 'entries of old terms that came one by one were taken for a standstill'],
  [1000906, 'a write that was cut from the log had no answer'],
  [1008634, 'a write that was cut from the log had no answer'],
  [1011042, 'a write that was cut from the log had no answer'],
  [1013062, 'a write that was cut from the log had no answer'],
  [1016283, 'a write that was cut from the log had no answer'],
  [1018559, 'a write that was cut from the log had no answer'],
  [1020985, 'a write that was cut from the log had no answer'],
  [1025292, 'a write that was cut from the log had no answer'],
  [1031175, 'a write that was cut from the log had no answer'],
  [1033242, 'a write that was cut from the log had no answer'],
  [1037652, 'a write that was cut from the log had no answer'],
  [1038682, 'a write that was cut from the log had no answer'],
  [1039279, 'a write that was cut from the log had no answer'],
  [1047273, 'a write that was cut from the log had no answer'],
  [4001729, 'false alarm: a commit index that was written right before the process ended'],
]
