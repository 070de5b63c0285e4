/** How many seeds a test run tries; each mutant must be caught within them. */
export const seedsInCi = 1500
