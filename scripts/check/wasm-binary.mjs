// Reads a WebAssembly binary: which instructions it holds, and what its memory import says. Enough of the format for
// a module of numbers: an instruction that it does not know is an error, never a guess.

const CUSTOM = 0, TYPE = 1, IMPORT = 2, GLOBAL = 6, EXPORT = 7, START = 8, CODE = 10, DATA = 11
const V128 = 0x7b

class Reader {
  constructor(bytes, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }
  byte() {
    if (this.at >= this.end) throw new RangeError(`module ends early at byte ${this.at}`)
    return this.bytes[this.at++]
  }
  skip(count) { this.at += count }
  /** Unsigned LEB128. */
  u32() {
    let value = 0, factor = 1
    for (;;) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 128
    }
  }
  /** Passes over a signed LEB128 of any width. */
  leb() { while (this.byte() >= 0x80); }
  name() {
    const length = this.u32()
    const text = new TextDecoder().decode(this.bytes.subarray(this.at, this.at + length))
    this.skip(length)
    return text
  }
  block(length) {
    const inner = new Reader(this.bytes, this.at, this.at + length)
    this.skip(length)
    return inner
  }
  limits() {
    const flags = this.u32()
    const initial = this.u32()
    return { shared: (flags & 2) !== 0, initial, maximum: flags & 1 ? this.u32() : undefined }
  }
}

/**
 * @typedef {object} Summary
 * @property {{ module: string, name: string, kind: number, memory?: { shared: boolean, initial: number, maximum?: number } }[]} imports
 * @property {Set<string>} exports
 * @property {Set<number>} simd - sub-opcodes of 0xFD; from 0x100 on they are relaxed SIMD
 * @property {Set<number>} saturating - sub-opcodes of 0xFC (0 to 7: conversions, 8 and up: bulk memory)
 * @property {Set<number>} atomic - sub-opcodes of 0xFE
 * @property {Set<number>} plain - one-byte opcodes
 * @property {Set<string>} extremes - exports that hold a minimum or maximum instruction of floats; '' where a function is not exported
 * @property {boolean} v128 - whether the type occurs in signatures, locals or globals
 * @property {boolean} start - whether anything runs at instantiation
 * @property {Map<number, string>} functions - exported ones, by index
 * @property {string} name - of the function that is being read
 */

/** @param {Uint8Array} bytes @returns {Summary} */
export function summarise(bytes) {
  const reader = new Reader(bytes)
  if (reader.u32() !== 0 || bytes[1] !== 0x61) throw new RangeError('expected a WebAssembly module')
  reader.at = 8
  const summary = {
    imports: [], exports: new Set(), simd: new Set(), saturating: new Set(), atomic: new Set(), plain: new Set(), extremes: new Set(), v128: false, start: false,
    functions: new Map(), name: '',
  }
  while (reader.at < reader.end) {
    const id = reader.byte()
    const section = reader.block(reader.u32())
    if (id === CUSTOM || id === DATA) continue
    if (id === TYPE) readTypes(section, summary)
    else if (id === IMPORT) readImports(section, summary)
    else if (id === GLOBAL) readGlobals(section, summary)
    else if (id === EXPORT) readExports(section, summary)
    else if (id === START) summary.start = true
    else if (id === CODE) readCode(section, summary)
  }
  return summary
}

function readTypes(section, summary) {
  for (let count = section.u32(); count > 0; count--) {
    section.byte()
    for (const _ of ['parameters', 'results']) {
      for (let types = section.u32(); types > 0; types--) if (section.byte() === V128) summary.v128 = true
    }
  }
}

function readImports(section, summary) {
  for (let count = section.u32(); count > 0; count--) {
    const entry = { module: section.name(), name: section.name(), kind: section.byte() }
    if (entry.kind === 2) entry.memory = section.limits()
    else if (entry.kind === 0) section.u32()
    else if (entry.kind === 3) section.skip(2)
    else throw new RangeError(`import ${entry.module}.${entry.name} has a kind that this reader does not know: ${entry.kind}`)
    summary.imports.push(entry)
  }
}

function readGlobals(section, summary) {
  for (let count = section.u32(); count > 0; count--) {
    if (section.byte() === V128) summary.v128 = true
    section.byte()
    readExpression(section, summary)
  }
}

function readExports(section, summary) {
  for (let count = section.u32(); count > 0; count--) {
    const name = section.name(), kind = section.byte(), index = section.u32()
    summary.exports.add(name)
    if (kind === 0) summary.functions.set(index, name)
  }
}

/** Minimum and maximum of f32 and f64, and of their vectors. */
const EXTREMES = [0x96, 0x97, 0xa4, 0xa5], VECTOR_EXTREMES = [232, 233, 244, 245]

function readCode(section, summary) {
  const first = summary.imports.filter(({ kind }) => kind === 0).length
  for (let i = 0, count = section.u32(); i < count; i++) {
    const body = section.block(section.u32())
    summary.name = summary.functions.get(first + i) ?? ''
    for (let groups = body.u32(); groups > 0; groups--) {
      body.u32()
      if (body.byte() === V128) summary.v128 = true
    }
    readExpression(body, summary)
  }
}

/** Reads instructions up to the `end` that closes the expression. */
function readExpression(code, summary) {
  for (let depth = 1; depth > 0;) {
    const op = code.byte()
    summary.plain.add(op)
    if (EXTREMES.includes(op)) summary.extremes.add(summary.name)
    if (op === 0x0b) depth--
    else if (op >= 0x02 && op <= 0x04) {
      if (code.bytes[code.at] === V128) summary.v128 = true
      code.leb()
      depth++
    } else if (op === 0xfd) vectorInstruction(code, summary)
    else if (op === 0xfc) numericInstruction(code, summary)
    else if (op === 0xfe) {
      const sub = code.u32()
      summary.atomic.add(sub)
      if (sub === 3) code.byte()
      else memoryArgument(code)
    } else plainInstruction(code, op)
  }
}

function memoryArgument(code) {
  code.u32()
  code.u32()
}

function plainInstruction(code, op) {
  if (op === 0x0c || op === 0x0d || op === 0x10 || (op >= 0x20 && op <= 0x26) || op === 0xd2) code.u32()
  else if (op === 0x0e) for (let labels = code.u32() + 1; labels > 0; labels--) code.u32()
  else if (op === 0x11) memoryArgument(code)
  else if (op === 0x1c) for (let types = code.u32(); types > 0; types--) code.byte()
  else if (op >= 0x28 && op <= 0x3e) memoryArgument(code)
  else if (op === 0x3f || op === 0x40 || op === 0xd0) code.byte()
  else if (op === 0x41 || op === 0x42) code.leb()
  else if (op === 0x43) code.skip(4)
  else if (op === 0x44) code.skip(8)
  else if (!(op <= 0x01 || op === 0x05 || op === 0x0f || op === 0x1a || op === 0x1b || (op >= 0x45 && op <= 0xc4) || op === 0xd1)) {
    throw new RangeError(`instruction 0x${op.toString(16)} at byte ${code.at - 1} is not known to this reader`)
  }
}

function numericInstruction(code, summary) {
  const sub = code.u32()
  summary.saturating.add(sub)
  if (sub <= 7) return
  if (sub === 8 || sub === 10 || sub === 12 || sub === 14) memoryArgument(code)
  else if (sub === 9 || sub === 11 || sub === 13 || (sub >= 15 && sub <= 17)) code.u32()
  else throw new RangeError(`instruction 0xfc ${sub} at byte ${code.at} is not known to this reader`)
}

function vectorInstruction(code, summary) {
  const sub = code.u32()
  summary.simd.add(sub)
  if (VECTOR_EXTREMES.includes(sub)) summary.extremes.add(summary.name)
  if (sub <= 11 || sub === 92 || sub === 93) memoryArgument(code) // loads, store, load-zero
  else if (sub === 12 || sub === 13) code.skip(16) // const, shuffle
  else if (sub >= 21 && sub <= 34) code.byte() // lanes
  else if (sub >= 84 && sub <= 91) { // load and store of lanes
    memoryArgument(code)
    code.byte()
  }
}
