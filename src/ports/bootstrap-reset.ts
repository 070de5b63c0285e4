/** The number that an operator has written to allow one more bootstrap of access control. */
export interface BootstrapReset {
  /** 0: none. */
  index(): number
  /** Takes the permission back. */
  remove(): void
}
