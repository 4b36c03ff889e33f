// Portable code computes the same bits in every engine and looks for no runtime: what would break that is named here.
import ts from 'typescript'
import { place, portable, read } from './files.mjs'

export const title = 'portable code uses no host API and no function that engines compute differently'

/** Exact or correctly rounded in every engine. Constants of Math are fine too. */
const safeMath = ['abs', 'floor', 'ceil', 'trunc', 'round', 'sqrt', 'min', 'max', 'fround', 'imul', 'sign', 'clz32',
  'PI', 'E', 'LN2', 'LN10', 'LOG2E', 'LOG10E', 'SQRT2', 'SQRT1_2']

const globals = {
  Date: 'take time from Host', performance: 'take time from Host', console: 'return or throw what is to be told',
  process: 'have it passed in through Host', window: 'have it passed in through Host', navigator: 'have it passed in through Host',
  document: 'have it passed in through Host', Deno: 'have it passed in through Host', Bun: 'have it passed in through Host',
  globalThis: 'have it passed in through Host', self: 'have it passed in through Host', global: 'have it passed in through Host',
  setTimeout: 'wait by Host.pause', setInterval: 'wait by Host.pause', fetch: 'read by Host.folder', require: 'import it', crypto: 'take randomness from Host',
  WeakRef: 'what it gives depends on the collector', FinalizationRegistry: 'when it calls depends on the collector',
  Intl: 'its results depend on the engine', eval: 'edge workers allow no code from strings', Function: 'edge workers allow no code from strings',
}

const methods = {
  localeCompare: 'compare with < and >: the order must not depend on the engine',
  toLocaleString: 'format without the locale', toLocaleLowerCase: 'use toLowerCase', toLocaleUpperCase: 'use toUpperCase',
}

/** The banned words of a file, in words. */
export function banProblems(path, text) {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true)
  const declared = scopesOf(file)
  const problems = []
  const report = (node, what) => problems.push(`${place(path, text, node.getStart(file))} uses ${what}`)
  const visit = (node) => {
    if (ts.isPropertyAccessExpression(node)) {
      const name = node.name.text
      if (node.expression.getText(file) === 'Math' && !safeMath.includes(name)) {
        report(node, `Math.${name}, which engines compute differently; use src/num, the accountants' num/ or the module's kernels`)
      }
      if (Object.hasOwn(methods, name)) report(node, `.${name}(); ${methods[name]}`)
      // the name of a safe function stands for itself; what it belongs to is looked at otherwise
      return node.expression.getText(file) === 'Math' ? undefined : visit(node.expression)
    }
    if (ts.isIdentifier(node) && node.text === 'Math' && !declared(node) && isValue(node) && !ts.isTypeQueryNode(node.parent)) {
      report(node, 'Math as a value or with a computed name; name the function, as Math.sqrt')
    }
    if (ts.isBinaryExpression(node) && [ts.SyntaxKind.AsteriskAsteriskToken, ts.SyntaxKind.AsteriskAsteriskEqualsToken].includes(node.operatorToken.kind) &&
      (node.left.getText(file) !== '2' || isFraction(node.right))) {
      report(node, `"${node.getText(file)}": ** is exact for whole powers of 2 only; multiply`)
    }
    if (ts.isIdentifier(node) && Object.hasOwn(globals, node.text) && !declared(node) && isValue(node)) {
      report(node, `${node.text}; ${globals[node.text]}`)
    }
    if (ts.isBindingElement(node) && Object.hasOwn(methods, (node.propertyName ?? node.name).getText(file))) {
      const name = (node.propertyName ?? node.name).getText(file)
      report(node, `{ ${name} }; ${methods[name]}`)
    }
    if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression) && Object.hasOwn(methods, node.argumentExpression.text)) {
      report(node, `['${node.argumentExpression.text}']; ${methods[node.argumentExpression.text]}`)
    }
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && node.expression.name.text === 'constructor') {
      report(node, '.constructor() as a function; edge workers allow no code from strings')
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword && !ts.isStringLiteral(node.arguments[0])) {
      report(node, 'import() of a name that is not written there; neither bundlers nor checks can follow it')
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return problems
}

/** A number with a point, or a root: `2 ** 0.5`. */
function isFraction(node) {
  if (ts.isParenthesizedExpression(node) || ts.isPrefixUnaryExpression(node)) return isFraction(node.expression ?? node.operand)
  return ts.isNumericLiteral(node) ? !Number.isInteger(Number(node.text)) : ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.SlashToken
}

/** Whether a name is one that the file declares itself, where it is used: a parameter called `window` is no global within its function. */
function scopesOf(file) {
  /** @type {Map<string, ts.Node[]>} */
  const scopes = new Map()
  const visit = (node) => {
    if ((ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node) || ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node) ||
      ts.isImportSpecifier(node)) && node.name && ts.isIdentifier(node.name)) {
      const scope = ts.findAncestor(node.parent, (outer) => ts.isFunctionLike(outer) || ts.isBlock(outer) || ts.isForStatement(outer) || ts.isForOfStatement(outer) ||
        ts.isForInStatement(outer) || ts.isCatchClause(outer) || ts.isSourceFile(outer))
      scopes.set(node.name.text, [...scopes.get(node.name.text) ?? [], scope])
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return (name) => scopes.get(name.text)?.some((scope) => ts.findAncestor(name, (outer) => outer === scope) !== undefined) ?? false
}

/** False for names of members, labels and types. */
function isValue(node) {
  const { parent } = node
  if ((ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isPropertyDeclaration(parent) ||
    ts.isMethodDeclaration(parent) || ts.isMethodSignature(parent)) && parent.name === node) return false
  return !ts.isTypeReferenceNode(parent) && !(ts.isBindingElement(parent) && parent.propertyName === node)
}

export async function check({ root }) {
  const files = await read(root, ...portable)
  return { problems: files.flatMap(({ path, text }) => banProblems(path, text)), notes: [`${files.length} files`] }
}
