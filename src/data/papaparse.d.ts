/** The part of papaparse that is used here; its published types need those of Node. */
declare module 'papaparse' {
  export interface ParseError {
    readonly code: string
    readonly message: string
  }
  export interface StepResult {
    readonly data: string[]
    readonly errors: readonly ParseError[]
    /** `cursor` is the number of characters read so far, this row and its line break included. */
    readonly meta: { readonly cursor: number }
  }
  const Papa: {
    parse(text: string, config: {
      readonly delimiter: string
      readonly newline: '\n'
      readonly step: (row: StepResult) => void
    }): unknown
  }
  export default Papa
}
