/** What readers of the secrets may wait for. */
export const dnsCookieSubject = 'dns-cookie'
