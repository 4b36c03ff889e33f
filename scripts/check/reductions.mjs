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
  const isFloats = (node) => {
    const type = checker.getTypeAtLocation(node), bound = checker.getBaseConstraintOfType(type) ?? type
    return (bound.isUnion() ? bound.types : [bound]).some((each) => /^Float(16|32|64)Array$/.test(each.symbol?.name ?? ''))
  }
  const report = (node, what) => problems.push(`${path}:${file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1} ${what}; ` +
    'sum in a kernel (sum, sum_squares, dot_f64, column_sums), whose order is defined, or give the reason in scripts/check/reductions.mjs')
  /** Variables that hold an element of floats: `for (const x of floats)`, `const x = floats[i]`. */
  const elements = new Set()
  const addNames = (name) => {
    if (ts.isIdentifier(name)) elements.add(checker.getSymbolAtLocation(name))
    else for (const element of name.elements) if (ts.isBindingElement(element)) addNames(element.name)
  }
  /** Floats, or a list of their elements: `[...x]`, `Array.from(x)`, `x.values()`. */
  const holdsFloats = (node) => {
    if (isFloats(node)) return true
    if (ts.isArrayLiteralExpression(node)) return node.elements.some((element) => ts.isSpreadElement(element) && holdsFloats(element.expression))
    if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false
    const { name, expression } = node.expression
    if (expression.getText(file) === 'Array' && name.text === 'from') return node.arguments.length === 1 && holdsFloats(node.arguments[0])
    return ['values', 'entries', 'slice', 'filter', 'toReversed', 'toSorted'].includes(name.text) && holdsFloats(expression)
  }
  const hasFloat = (node) => {
    if (ts.isElementAccessExpression(node) && isFloats(node.expression)) return true
    if (ts.isIdentifier(node) && elements.has(checker.getSymbolAtLocation(node))) return true
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { name, expression } = node.expression
      if (/^getFloat(16|32|64)$/.test(name.text) || name.text === 'at' && isFloats(expression)) return true
    }
    // what a call gives is its own business
    return !ts.isFunctionLike(node) && (ts.forEachChild(node, hasFloat) ?? false)
  }
  /** An element of floats, or a product and the like of such. */
  const isElement = (node) => {
    if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isNonNullExpression(node)) return isElement(node.expression)
    if (ts.isPrefixUnaryExpression(node)) return isElement(node.operand)
    if (ts.isBinaryExpression(node)) return ARITHMETIC.includes(node.operatorToken.kind) && (isElement(node.left) || isElement(node.right))
    return (ts.isElementAccessExpression(node) || ts.isIdentifier(node) || ts.isCallExpression(node) && !isOwnCall(node)) && hasFloat(node)
  }
  const isOwnCall = ({ expression }) => !(ts.isPropertyAccessExpression(expression) && /^(at|getFloat\d\d|abs|fround|sqrt)$/.test(expression.name.text))
  const visit = (node) => {
    if (ts.isForOfStatement(node) && holdsFloats(node.expression) && ts.isVariableDeclarationList(node.initializer)) {
      for (const { name } of node.initializer.declarations) addNames(name)
    }
    if (ts.isVariableDeclaration(node) && node.initializer) {
      if (ts.isIdentifier(node.name) ? isElement(node.initializer) : ts.isArrayBindingPattern(node.name) && holdsFloats(node.initializer)) addNames(node.name)
    }
    if (ts.isCallExpression(node)) {
      const [name, of] = called(node)
      if (['reduce', 'reduceRight'].includes(name) && holdsFloats(of)) report(node, `reduces floats by .${name}()`)
      if (name === 'forEach' && holdsFloats(of) && ts.isFunctionLike(node.arguments[0])) {
        const [first] = node.arguments[0].parameters
        if (first) addNames(first.name)
      }
    }
    if (ts.isBinaryExpression(node) && isPlace(node.left)) {
      const text = node.left.getText(file)
      const again = node.operatorToken.kind === ts.SyntaxKind.EqualsToken && mentions(node.right, text)
      if ((SUMS.includes(node.operatorToken.kind) || again) && hasFloat(node.right)) report(node, `adds floats up in "${text}"`)
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return problems
}

const SUMS = [ts.SyntaxKind.PlusEqualsToken, ts.SyntaxKind.MinusEqualsToken, ts.SyntaxKind.AsteriskEqualsToken]
const ARITHMETIC = [ts.SyntaxKind.PlusToken, ts.SyntaxKind.MinusToken, ts.SyntaxKind.AsteriskToken, ts.SyntaxKind.SlashToken]

/** The method that a call is of, and its object: `x.reduce(f)`, `x['reduce'](f)`, `Array.prototype.reduce.call(x, f)`. */
function called({ expression, arguments: list }) {
  if (ts.isElementAccessExpression(expression)) return [ts.isStringLiteralLike(expression.argumentExpression) ? expression.argumentExpression.text : '', expression.expression]
  if (!ts.isPropertyAccessExpression(expression)) return ['', expression]
  if (['call', 'apply'].includes(expression.name.text) && ts.isPropertyAccessExpression(expression.expression) && list[0]) return [expression.expression.name.text, list[0]]
  return [expression.name.text, expression.expression]
}

/** What one sum can be kept in: a variable, a property, one fixed element. */
function isPlace(node) {
  return ts.isIdentifier(node) || ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node) && ts.isNumericLiteral(node.argumentExpression)
}

/** Whether an expression is a sum or product that a place is an operand of: `s = s + x`, rounded or not. */
function mentions(node, place) {
  if (isPlace(node)) return node.getText() === place
  if (ts.isParenthesizedExpression(node)) return mentions(node.expression, place)
  if (ts.isCallExpression(node)) return node.expression.getText() === 'Math.fround' && mentions(node.arguments[0], place)
  return ts.isBinaryExpression(node) && ARITHMETIC.includes(node.operatorToken.kind) && (mentions(node.left, place) || mentions(node.right, place))
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
