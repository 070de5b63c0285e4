/** What readers of intentions may wait for. There are few changes, so one subject stands for all, as in Consul. */
export const intentionSubject = { all: 'intentions' } as const
