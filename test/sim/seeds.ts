/** How many seeds a test run tries; each mutant must be caught within them. */
export const seedsInCi = 1500

/** Seeds that failed once, each with what was wrong: in svcd, or in what the simulator claimed of it. */
export const onceFailed: readonly (readonly [seed: number, about: string])[] = [
  [7846, 'a disk error in a promise left a leader that never did anything again'],
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
