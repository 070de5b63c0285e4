/** What readers of the settings may wait for. */
export const autopilotSubject = 'autopilot'
