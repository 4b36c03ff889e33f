// Floats are summed by kernels, whose order of summation the specification defines: in JavaScript, on the way of weights,
// activations, gradients, updates and noise, a sum over an array of floats is a fault. Found by type, not by name.
import { join } from 'node:path'
import ts from 'typescript'

export const title = 'no sum over floats in JavaScript on a path that matters'

/** Folders on the way of values; accountants and reports, which compute about them, are elsewhere. */
export const folders = ['wasm', 'tensor', 'graph', 'ops', 'model', 'peft', 'optim', 'train', 'federated', 'simulation', 'privacy/mechanism']

/** Sums that stand in the specification with their order, or of which nothing depends; by file. @type {Record<string, string>} */
const allowed = {
  'src/train/gradients.ts': 'the mean loss that a step reports: in f64, in the order of the examples',
  'src/privacy/mechanism/correlated-design.ts': 'bounds of a strategy: in f64, in the order of its coefficients',
  'src/simulation/audit/canaries.ts': 'what an attacker computes about a run', 'src/simulation/audit/roc.ts': 'what an attacker computes about a run',
}

/**
 * The sums over floats of a file, in words.
 *
 * @param {ts.SourceFile} file @param {ts.TypeChecker} checker @param {string} path
 */
export function reductionProblems(file, checker, path) {
  const problems = []
  const isFloats = (node) => /^Float(16|32|64)Array\b/.test(checker.typeToString(checker.getTypeAtLocation(node)))
  const report = (node, what) => problems.push(`${path}:${file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1} ${what}; ` +
    'sum in a kernel (sum, sum_squares, dot_f64, column_sums), whose order is defined, or give the reason in scripts/check/reductions.mjs')
  /** Loop variables that are elements of floats: `for (const x of floats)`. */
  const elements = new Set()
  const hasFloat = (node) => {
    if (ts.isElementAccessExpression(node) && isFloats(node.expression)) return true
    if (ts.isIdentifier(node) && elements.has(checker.getSymbolAtLocation(node))) return true
    // what a call gives is its own business
    return !ts.isFunctionLike(node) && (ts.forEachChild(node, hasFloat) ?? false)
  }
  const sums = [ts.SyntaxKind.PlusEqualsToken, ts.SyntaxKind.MinusEqualsToken, ts.SyntaxKind.AsteriskEqualsToken]
  const visit = (node) => {
    if (ts.isForOfStatement(node) && isFloats(node.expression) && ts.isVariableDeclarationList(node.initializer)) {
      for (const { name } of node.initializer.declarations) elements.add(checker.getSymbolAtLocation(name))
    }
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { name, expression } = node.expression
      if (['reduce', 'reduceRight'].includes(name.text) && isFloats(expression)) report(node, `reduces floats by .${name.text}()`)
      if (name.text === 'forEach' && isFloats(expression) && ts.isFunctionLike(node.arguments[0])) {
        const [first] = node.arguments[0].parameters
        if (first) elements.add(checker.getSymbolAtLocation(first.name))
      }
    }
    if (ts.isBinaryExpression(node) && ts.isIdentifier(node.left)) {
      const again = node.operatorToken.kind === ts.SyntaxKind.EqualsToken && mentions(node.right, node.left.text)
      if ((sums.includes(node.operatorToken.kind) || again) && hasFloat(node.right)) report(node, `adds floats up in "${node.left.text}"`)
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return problems
}

/** Whether an expression is a sum or product that a name is an operand of: `s = s + x`. */
function mentions(node, name) {
  if (ts.isIdentifier(node)) return node.text === name
  if (ts.isParenthesizedExpression(node)) return mentions(node.expression, name)
  return ts.isBinaryExpression(node) && [ts.SyntaxKind.PlusToken, ts.SyntaxKind.MinusToken, ts.SyntaxKind.AsteriskToken].includes(node.operatorToken.kind) &&
    (mentions(node.left, name) || mentions(node.right, name))
}

/** The problems of a text, with its types: for tests. */
export function textProblems(text) {
  const path = 'file.ts', options = { target: ts.ScriptTarget.ES2022, lib: ['lib.es2022.d.ts'], types: [], strict: true }
  const host = ts.createCompilerHost(options), { getSourceFile } = host
  host.getSourceFile = (name, ...more) => name === path ? ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true) : getSourceFile(name, ...more)
  const program = ts.createProgram([path], options, host)
  return reductionProblems(program.getSourceFile(path), program.getTypeChecker(), path)
}

export async function check({ root }) {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const program = ts.createProgram(fileNames, { ...options, noEmit: true }), checker = program.getTypeChecker()
  const problems = [], used = new Set()
  let count = 0
  for (const file of program.getSourceFiles()) {
    const path = file.fileName.slice(root.length + 1).replaceAll('\\', '/')
    if (!folders.some((folder) => path.startsWith(`src/${folder}/`))) continue
    count++
    const found = reductionProblems(file, checker, path)
    if (found.length > 0 && Object.hasOwn(allowed, path)) used.add(path)
    else problems.push(...found)
  }
  for (const path of Object.keys(allowed)) if (!used.has(path)) problems.push(`${path} needs no exception any more; delete it in scripts/check/reductions.mjs`)
  return { problems, notes: [`${count} files; allowed: ${Object.entries(allowed).map(([path, why]) => `${path} (${why})`).join('; ')}`] }
}
