// What main gave or threw, as the text that goes back to the driver.
export async function answerOf(main, ground) {
  try {
    return JSON.stringify({ result: await main(ground) ?? null })
  } catch (error) {
    return errorAnswer(error)
  }
}

export function errorAnswer(error) {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const stack = error instanceof Error && error.stack ? `\n${error.stack.replace(`${text}\n`, '')}` : ''
  return JSON.stringify({ error: text + stack })
}
