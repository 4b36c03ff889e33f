/**
 * What the command line says when something is wrong: one line, and an exit code that a script can go by.
 * @module
 */
import { CommanderError } from 'commander'
import { FormatError, NumericError, PrivacyError } from '../errors.ts'

/** What was asked cannot be done: exit code 2. */
export class InputError extends Error {
  override readonly name = 'InputError'
}

/** Exit codes. */
export const DONE = 0, FAILED = 1, BAD_INPUT = 2, INTERRUPTED = 130

/** Codes of system calls that failed on a path which the user gave. */
const PATH_CODES = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'EROFS', 'ENAMETOOLONG']

/** The exit code of an error: 2 where what came from outside is to blame, else 1. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : BAD_INPUT
  if (error instanceof InputError || error instanceof FormatError || error instanceof PrivacyError) return BAD_INPUT
  // those of Sotto say what was expected; the engine's own are faults
  if ((error instanceof TypeError || error instanceof RangeError) && /\bexpected\b.*\bgot\b/s.test(error.message)) return BAD_INPUT
  return PATH_CODES.includes(codeOf(error)) ? BAD_INPUT : FAILED
}

/** The error on one line, as the last word of a command. */
export function describeError(error: unknown): string {
  return `sotto: ${oneLine(messageOf(error))}`
}

function messageOf(error: unknown): string {
  if (error instanceof CommanderError) return `${error.message.replace(/^error: |\.$/g, '')}; --help lists what there is`
  if (!(error instanceof Error)) return String(error)
  if (PATH_CODES.includes(codeOf(error))) {
    const { path } = error as { path?: string }
    return `"${path ?? 'path'}" expected a file or folder that can be used, got ${codeOf(error)}; check the path and its permissions`
  }
  const known = exitCodeOf(error) === BAD_INPUT || error instanceof NumericError || error.message.includes('expected')
  return known ? error.message : `${error.name}: ${error.message}; SOTTO_STACK=1 in the environment shows where`
}

/** A message of several lines as one: rows of a list are joined by semicolons. */
function oneLine(message: string): string {
  return message.trim().replace(/:\s*\n\s*/g, ': ').replace(/\n\s*\(/g, ' (').replace(/\s*\n\s*/g, '; ').replace(/[\u0000-\u001f\u007f]+/g, ' ')
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
